-- What each script begins with.
--
-- us, now: the time of Redis in us and ms.
-- identity(): which server this is: its run_id, or the mark of the script. Scripts of Redis 7 live in the memory of one
--   server only, those of older ones reach replicas and snapshots.
-- born(key, expected): when this Redis was born (see tend.lua), whether its clock was set back then, and how much the
--   fleet's time is ahead of it since. The key holds `identity|ms`, then `|b` for set back, then `s` and the shift. A
--   failover may reach the caller without a new connection, in a Cluster or behind a proxy, so each call looks whether the
--   server is still the same.
-- value, read(from), write(key, text, px): what belongs to a batch is read with one MGET, since a call from Lua costs more
--   than what it does. What was written since is in `value` too, for a job that comes twice.
-- Numbers stay texts where they are not compared: to write a number costs a microsecond.

local T = redis.call('TIME')
local us = tonumber(T[1]) * 1000000 + tonumber(T[2])
local now = math.floor(us / 1000)
local MARK = ''
local function identity()
  if MARK ~= '' then return redis.REDIS_VERSION_NUM and MARK end
  local info = redis.pcall('INFO', 'server')
  if type(info) == 'string' then return string.match(info, 'run_id:(%w+)'), info end
end
-- nil also where another server is expected than this one.
local function born(key, expected)
  local value = redis.call('GET', key)
  if not value then return nil end
  local id, ms, back, shift = string.match(value, '^(%w+)|(%d+)|?(b?)s?(%-?%d*)$')
  if id ~= identity() or (expected or '') ~= '' and expected ~= id then return nil end
  return tonumber(ms), back == 'b', tonumber(shift) or 0
end
-- Until when a command may be executed, and by which server: expires|server
local function bounds(text)
  local expires, server = string.match(text, '^(%d+)|?(%w*)$')
  return tonumber(expires), server
end
-- What ends later than any lease given now was given before the clock was set back (see TEND)
local function stale(ends, lease) return tonumber(ends) > now + 3 * lease end

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
-- Whether Redis knew an open run before it was born and has got no word of it since: how it went on is unknown. The
-- score is when the lease is over, or the time at which the run was given up, less than 0.
local function restored(score, since, lease)
  local ms = math.max(tonumber(score), -tonumber(score))
  return ms > 0 and ms < since + lease
end
local function release(key, one, other, hold)
  local issued, newest, holder, ends = load(key)
  if ends ~= '0' and (holder == one or holder == other) then
    save(key, issued, newest, holder, hold == '0' and '0' or digits(now + tonumber(hold)))
  end
end
