import { createHash } from 'node:crypto'

/** A Lua script, and the hash Redis knows it by. */
export interface Script {
  readonly source: string
  readonly sha: string
}

function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/**
 * Time in ms and µs, and when this Redis was born (see TEND): `run_id|ms`. In a Cluster (`check` is '1') a
 * failover reaches us without a new connection, so each call looks whether the server is still the same.
 *
 * What belongs to a batch is read with one MGET: a call from Lua costs more than what it does. What was written
 * since is in `value` too, for a job that comes twice. Numbers stay texts where they are not compared: to write a
 * number costs a microsecond.
 */
const PRELUDE = `
local T = redis.call('TIME')
local us = tonumber(T[1]) * 1000000 + tonumber(T[2])
local now = math.floor(us / 1000)
local function born(key, check)
  local value = redis.call('GET', key)
  if not value then return nil end
  local id, ms = string.match(value, '^(%w+)|(%d+)$')
  if check == '1' and string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') ~= id then return nil end
  return tonumber(ms)
end

local value = {}
local function read(from)
  local got = redis.call('MGET', unpack(KEYS, from))
  for i, text in ipairs(got) do value[KEYS[from + i - 1]] = text end
end
local function write(key, text, px)
  redis.call('SET', key, text, 'PX', px)
  value[key] = text
end
local function digits(number) return string.format('%.0f', number) end

-- A tick: start|token|fence|state
local function split(record) return string.match(record, '^(%d+)|([^|]*)|(%d+)|(%a+)$') end

-- A job: the last fence|the newest tick given|who has the lease|until when
local function load(key)
  local text = value[key]
  if not text then return '0', '0', '', '0' end
  return string.match(text, '^(%d+)|(%d+)|([^|]*)|(%d+)$')
end
local function save(key, issued, newest, holder, ends)
  write(key, issued .. '|' .. newest .. '|' .. holder .. '|' .. ends, '2592000000')
end
local function release(key, one, other, hold)
  local issued, newest, holder, ends = load(key)
  if ends ~= '0' and (holder == one or holder == other) then
    save(key, issued, newest, holder, hold == '0' and '0' or digits(now + tonumber(hold)))
  end
end
`

/**
 * Looks after a shard. Registers an instance, notices a Redis that is not the one we knew, and lists the open
 * runs whose lease is over.
 *
 * born: a Redis with another run_id than the one noted may have forgotten what it had acknowledged, up to now.
 * If nothing is noted, it is either new or came up empty: then what was acknowledged before its start is gone,
 * or, if the caller has known it (`known`), it was flushed: up to now.
 *
 * KEYS born open instances; ARGV instance (or '') ttl known stepped limit
 * → now, run_id, born, instances that are alive, open runs whose lease is over
 */
export const TEND: Script = script(`${PRELUDE}
local info = redis.call('INFO', 'server')
local id = string.match(info, 'run_id:(%w+)')
local noted = redis.call('GET', KEYS[1])
local since = now
if noted and string.match(noted, '^(%w+)|') == id and ARGV[4] ~= '1' then
  since = tonumber(string.match(noted, '|(%d+)$'))
else
  if not noted and ARGV[3] ~= '1' then
    since = math.min(now, now - tonumber(string.match(info, 'uptime_in_seconds:(%d+)')) * 1000 + 1000)
  end
  redis.call('SET', KEYS[1], id .. '|' .. string.format('%.0f', since))
end
if ARGV[1] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - tonumber(ARGV[2]))
  redis.call('ZADD', KEYS[3], now, ARGV[1])
end
return {
  now, id, since,
  redis.call('ZRANGE', KEYS[3], 0, -1),
  redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[5])
}
`)

/**
 * Decides ticks, many at a time, in one of three modes: `claim` writes at once (one Redis); `prepare` reserves
 * the job for a moment, and `commit` writes what a quorum has prepared.
 *
 * A tick older than maxLate is given only if it is newer than all that were ever given of its job: of others it
 * cannot be known any more. A `start` above 1 is a ballot over a tick whose run was abandoned: it wins only over a
 * record in state `run` with a smaller start whose lease is over.
 *
 * KEYS born open (tick job prepared)…, without `prepared` in the mode `claim`
 * ARGV expires mode guard check lease retention early maxLate reserve (at token start fence leased state member)…
 * → now, then for each tick one of: ok|start|fence taken|token busy|token contended wait|ms late hold|ms abstain
 *   alive|ms; or only: now, 'expired' | 'unborn'
 */
export const CLAIM: Script = script(`${PRELUDE}
local mode, guard, check = ARGV[2], ARGV[3] == '1', ARGV[4]
local lease, retention, early, maxLate = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
if now > tonumber(ARGV[1]) then return { now, 'expired' } end
local since = born(KEYS[1], check)
if not since then return { now, 'unborn' } end
read(3)
local stamp, later = digits(us), digits(now + lease)
local opened = {}

local function decide(k, a)
  local tickKey, jobKey, prepKey = KEYS[k], KEYS[k + 1], KEYS[k + 2]
  local at, token, start, given = tonumber(ARGV[a]), ARGV[a + 1], ARGV[a + 2], ARGV[a + 3]
  local leased, state, member = ARGV[a + 4] == '1', ARGV[a + 5], ARGV[a + 6]
  local issued, newest, holder, ends = load(jobKey)

  local previous
  local record = value[tickKey]
  if record then
    local s, owner, fence, was = split(record)
    if owner == token and was == state then return 'ok|' .. s .. '|' .. fence end
    if was ~= 'run' or tonumber(s) >= tonumber(start) then return 'taken|' .. owner end
    local open = redis.call('ZSCORE', KEYS[2], member)
    if open and tonumber(open) > now then return 'alive|' .. (tonumber(open) - now) end
    previous = owner
  elseif at then
    if start == '1' then
      if at > now + early then return 'wait|' .. (at - now - early) end
      if at < now - maxLate and (newest == '0' or at <= tonumber(newest)) then return 'late' end
    end
    if guard and state == 'run' and at - early < since then return 'abstain' end
  end
  if leased and state == 'run' then
    if holder ~= token and holder ~= previous and tonumber(ends) > now then return 'busy|' .. holder end
    if guard and now < since + lease then return 'hold|' .. (since + lease - now) end
  end
  if mode ~= 'claim' then
    local prepared = value[prepKey]
    if prepared and prepared ~= token then return 'contended' end
    if mode == 'commit' and not prepared then return 'contended' end
  end

  local fence = given
  if fence == '' then fence = us > tonumber(issued) and stamp or digits(tonumber(issued) + 1) end
  if tonumber(fence) > tonumber(issued) then issued = fence end
  if mode == 'prepare' then
    write(prepKey, token, ARGV[9])
    if state == 'run' then save(jobKey, issued, newest, holder, ends) end
    return 'ok|' .. start .. '|' .. fence
  end
  write(tickKey, start .. '|' .. token .. '|' .. fence .. '|' .. state, retention)
  if state == 'run' then
    if at and at > tonumber(newest) then newest = ARGV[a] end
    if leased then holder, ends = token, later end
    save(jobKey, issued, newest, holder, ends)
    opened[#opened + 1] = later
    opened[#opened + 1] = member
  else
    redis.call('ZREM', KEYS[2], member)
    release(jobKey, previous, previous, '0')
  end
  if mode == 'commit' then
    redis.call('DEL', prepKey)
    value[prepKey] = nil
  end
  return 'ok|' .. start .. '|' .. fence
end

local answers = { now }
local a = 10
for k = 3, #KEYS, mode == 'claim' and 2 or 3 do
  answers[#answers + 1] = decide(k, a)
  a = a + 7
end
if #opened > 0 then redis.call('ZADD', KEYS[2], unpack(opened)) end
return answers
`)

/**
 * Renews leases. One that is over is not renewed; one that Redis has forgotten altogether is written anew.
 *
 * KEYS born open (tick job)…; ARGV expires check lease retention (token record fence leased member)…
 * → now, then for each: ok | over | fenced|token; or only: now, 'expired' | 'unborn'
 */
export const BEAT: Script = script(`${PRELUDE}
if now > tonumber(ARGV[1]) then return { now, 'expired' } end
if not born(KEYS[1], ARGV[2]) then return { now, 'unborn' } end
local later, retention = digits(now + tonumber(ARGV[3])), ARGV[4]
read(3)

local function renew(k, a)
  local token, wanted, fence, leased, member = ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3] == '1', ARGV[a + 4]
  local issued, newest, holder, ends = load(KEYS[k + 1])
  local record = value[KEYS[k]]
  if record then
    if record ~= wanted then
      local _, owner = split(record)
      return 'fenced|' .. owner
    end
    local open = redis.call('ZSCORE', KEYS[2], member)
    if not open or tonumber(open) <= now then return 'over' end
    if leased and (holder ~= token or tonumber(ends) <= now) then return 'over' end
    redis.call('PEXPIRE', KEYS[k], retention)
  else
    if leased and holder ~= token and tonumber(ends) > now then return 'over' end
    write(KEYS[k], wanted, retention)
  end
  if leased then
    if tonumber(fence) > tonumber(issued) then issued = fence end
    save(KEYS[k + 1], issued, newest, token, later)
  end
  redis.call('ZADD', KEYS[2], later, member)
  return 'ok'
end

local answers = { now }
local a = 5
for k = 3, #KEYS, 2 do
  answers[#answers + 1] = renew(k, a)
  a = a + 5
end
return answers
`)

/**
 * Ends claims: `done` for ever; `abandon` leaves the tick to be recovered at once; `undo` as if the claim had
 * never been; `clear` repeats an end that another node has told of. All but `undo` are written also where Redis
 * has forgotten the claim.
 *
 * KEYS open (tick job prepared)…; ARGV retention (what token start fence member hold)…
 * → now, then for each: ok | fenced|token
 */
export const END: Script = script(`${PRELUDE}
local retention = ARGV[1]
read(2)
local closed = {}

local function finish(k, a)
  local what, token, start, fence, member, hold = ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5]
  if what == 'undo' and value[KEYS[k + 2]] == token then redis.call('DEL', KEYS[k + 2]) end
  local record = value[KEYS[k]]
  local own = token .. '|' .. fence .. '|'
  local owner = token
  if record then
    if record ~= start .. '|' .. own .. 'run' then
      local _
      _, owner = split(record)
    end
    if owner ~= token and what ~= 'clear' then return 'fenced|' .. owner end
  elseif what == 'undo' then
    return 'ok'
  end
  if what == 'done' or what == 'clear' then
    write(KEYS[k], start .. '|' .. own .. 'done', retention)
    closed[#closed + 1] = member
  elseif what == 'undo' and start == '1' then
    redis.call('DEL', KEYS[k])
    value[KEYS[k]] = nil
    closed[#closed + 1] = member
  else
    write(KEYS[k], (what == 'undo' and tonumber(start) - 1 or start) .. '|' .. own .. 'run', retention)
    redis.call('ZADD', KEYS[1], 0, member)
  end
  release(KEYS[k + 1], token, owner, what == 'done' and hold or '0')
  return 'ok'
end

local answers = { now }
local a = 2
for k = 2, #KEYS, 3 do
  answers[#answers + 1] = finish(k, a)
  a = a + 6
end
if #closed > 0 then redis.call('ZREM', KEYS[1], unpack(closed)) end
return answers
`)

/** Forgets an instance. KEYS instances; ARGV instance */
export const LEAVE: Script = script(`return redis.call('ZREM', KEYS[1], ARGV[1])`)

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
