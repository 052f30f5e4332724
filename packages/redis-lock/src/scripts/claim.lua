-- Decides ticks, many at a time, in one of three modes: `claim` writes at once (one Redis); `prepare` reserves the job for a
-- moment, and `commit` writes what a quorum has prepared.
--
-- A tick older than maxLate is given only if it is newer than all that were ever given of its job: of others Redis does not
-- know any more. A start above 1 is a ballot over a tick whose run was abandoned: it wins only over a record in state `run`
-- with a smaller start whose lease is over. If that record is from before the birth of Redis, the run may have ended, or been
-- started again, since: such a ballot wins only where this is `accepted`.
--
-- KEYS[1] born
-- KEYS[2] open
-- KEYS[3…] for each tick: tick, job, and except in the mode `claim`: prepared
-- ARGV[1] expires|server
-- ARGV[2] mode
-- ARGV[3] hold: no lease is given for this number of ms after a birth, the longest lease of the fleet; 0 without the guard
-- ARGV[4] lease, in ms
-- ARGV[5] retention of a record, in ms
-- ARGV[6] early, in ms
-- ARGV[7] maxLate, in ms
-- ARGV[8] reserve, in ms
-- ARGV[9…] for each tick: at token start fence leased state member accepted
-- Returns now, then for each tick one of: ok|start|fence, taken|token, busy|token, contended, wait|ms, late, hold|ms, abstain,
--   alive|ms, unknown|births. Or only: now, 'expired' or 'unborn'.

local mode, hold = ARGV[2], tonumber(ARGV[3])
local guard = hold > 0
local lease, retention, early, maxLate = tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local expires, server = bounds(ARGV[1])
if now > expires then return { now, 'expired' } end
local since, back = born(KEYS[1], server)
if not since then return { now, 'unborn' } end
read(3)
local stamp, later = digits(us), digits(now + lease)
local opened = {}

local function decide(k, a)
  local tickKey, jobKey, prepKey = KEYS[k], KEYS[k + 1], KEYS[k + 2]
  local at, token, start, given = tonumber(ARGV[a]), ARGV[a + 1], ARGV[a + 2], ARGV[a + 3]
  local leased, state, member, accepted = ARGV[a + 4] == '1', ARGV[a + 5], ARGV[a + 6], ARGV[a + 7] == '1'
  local issued, newest, holder, ends = load(jobKey)

  local previous
  local record = value[tickKey]
  if record then
    local s, owner, fence, was = split(record)
    if owner == token and was == state then return 'ok|' .. s .. '|' .. fence end
    if was ~= 'run' or tonumber(s) >= tonumber(start) then return 'taken|' .. owner end
    local open = redis.call('ZSCORE', KEYS[2], member)
    if open and tonumber(open) > now then return 'alive|' .. (tonumber(open) - now) end
    if guard and not back and open and restored(open, since, hold) then
      if now < since + hold then return 'hold|' .. (since + hold - now) end
      -- A run that nobody knows of can have been started again once for each lease between the record and this birth.
      if not accepted then return 'unknown|' .. digits(math.max(0, math.floor((since - fence / 1000) / lease))) end
    end
    previous = owner
  elseif at then
    if start == '1' then
      if at > now + early then return 'wait|' .. (at - now - early) end
      if at < now - maxLate and (newest == '0' or at <= tonumber(newest)) then return 'late' end
    end
    if guard and state == 'run' and at - early < since then return 'abstain' end
  end
  if leased and state == 'run' then
    local theirs = holder ~= token and holder ~= previous and tonumber(ends) > now
    if theirs and not (back and stale(ends, lease)) then return 'busy|' .. holder end
    if guard and now < since + hold then return 'hold|' .. (since + hold - now) end
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
    write(prepKey, token, ARGV[8])
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
local a = 9
for k = 3, #KEYS, mode == 'claim' and 2 or 3 do
  answers[#answers + 1] = decide(k, a)
  a = a + 8
end
if #opened > 0 then redis.call('ZADD', KEYS[2], unpack(opened)) end
return answers
