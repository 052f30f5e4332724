import { PRELUDE, type Script, script } from './script.ts'

const acquire = (guard: string): Script =>
  script(`${PRELUDE}
local since = born(KEYS[2], ARGV[3])
if not since or (${guard} and now < since + tonumber(ARGV[2])) then return 0 end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 2 end
return 0`)

/** For redlock. KEYS mutex born; ARGV value ttl server. All return 2 for yes. */
export const MUTEX: { acquire: Script; acquireUnguarded: Script; extend: Script; release: Script } = {
  acquire: acquire('true'),
  acquireUnguarded: acquire('false'),
  extend: script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 2`),
  release: script(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 2`),
}
