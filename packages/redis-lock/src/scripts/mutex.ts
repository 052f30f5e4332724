import { PRELUDE } from './script.ts'

/** For redlock, which takes scripts as functions only. KEYS mutex born; ARGV value ttl. All return 2 for yes. */
export const MUTEX: { acquire: string; extend: string; release: string } = {
  acquire: `${PRELUDE}
local since = born(KEYS[2], '0')
if not since or ('GUARD' == '1' and now < since + tonumber(ARGV[2])) then return 0 end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 2 end
return 0`,
  extend: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 2`,
  release: `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 2`,
}
