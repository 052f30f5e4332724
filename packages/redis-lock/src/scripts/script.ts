import { createHash } from 'node:crypto'

/** A Lua script, and the hash Redis knows it by. */
export interface Script {
  readonly source: string
  readonly sha: string
}

export function script(source: string): Script {
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
export const PRELUDE: string = `
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
