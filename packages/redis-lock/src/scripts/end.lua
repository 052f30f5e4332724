-- Ends claims: `done` for ever; `abandon` leaves the tick to be recovered at once; `undo` as if the claim had never been;
-- `clear` repeats an end that is known: another node has it, or this one had it and has forgotten it. All but `undo` are
-- written also where Redis has forgotten the claim, and over an earlier start of the tick.
--
-- KEYS[1] open
-- KEYS[2…] for each claim: tick, job, and if step is 3: prepared
-- ARGV[1] retention of a record, in ms
-- ARGV[2] step: the keys of a claim
-- ARGV[3…] for each claim: what token start fence member hold
-- Returns now, then for each claim: ok, or fenced|token.

local retention, step = ARGV[1], tonumber(ARGV[2])
read(2)
local closed = {}

local function finish(k, a)
  local what, token, start, fence, member, hold = ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5]
  if what == 'undo' and step == 3 and value[KEYS[k + 2]] == token then redis.call('DEL', KEYS[k + 2]) end
  local record = value[KEYS[k]]
  local own = token .. '|' .. fence .. '|'
  local owner = token
  if record then
    if record ~= start .. '|' .. own .. 'run' then
      local started
      started, owner = split(record)
      local later = tonumber(started) - tonumber(start)
      if owner ~= token and (what == 'undo' or later > 0 or (later == 0 and what ~= 'clear')) then
        return 'fenced|' .. owner
      end
    end
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
    -- An instance that comes late may not know what happened since its lease was over, or Redis forgot the claim.
    local open = record and tonumber(redis.call('ZSCORE', KEYS[1], member) or now) or 1
    redis.call('ZADD', KEYS[1], digits(-math.min(now, math.max(open, -open))), member)
  end
  release(KEYS[k + 1], token, owner, what == 'done' and hold or '0')
  return 'ok'
end

local answers = { now }
local a = 3
for k = 2, #KEYS, step do
  answers[#answers + 1] = finish(k, a)
  a = a + 6
end
if #closed > 0 then redis.call('ZREM', KEYS[1], unpack(closed)) end
return answers
