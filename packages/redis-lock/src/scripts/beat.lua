-- Renews leases. One that is over is not renewed. One that Redis has forgotten, altogether or since the record that it has, is
-- written again.
--
-- KEYS[1] born
-- KEYS[2] open
-- KEYS[3…] for each lease: tick, job
-- ARGV[1] expires|server
-- ARGV[2] lease, in ms
-- ARGV[3] retention of a record, in ms
-- ARGV[4…] for each lease: token record fence leased member
-- Returns now, then for each lease: ok, over, or fenced|token. Or only: now, 'expired' or 'unborn'.

local expires, server = bounds(ARGV[1])
if now > expires then return { now, 'expired' } end
local since = born(KEYS[1], server)
if not since then return { now, 'unborn' } end
local lease, retention = tonumber(ARGV[2]), ARGV[3]
local later = digits(now + lease)
read(3)

local function renew(k, a)
  local token, wanted, fence, leased, member = ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3] == '1', ARGV[a + 4]
  local issued, newest, holder, ends = load(KEYS[k + 1])
  local record = value[KEYS[k]]
  if record and record ~= wanted then
    local started, owner = split(record)
    if tonumber(started) >= tonumber((split(wanted))) then return 'fenced|' .. owner end
  end
  local open = redis.call('ZSCORE', KEYS[2], member)
  if record == wanted and not (open and restored(open, since, lease)) then
    if not open or tonumber(open) <= now then return 'over' end
    if leased and (holder ~= token or tonumber(ends) <= now) then return 'over' end
    redis.call('PEXPIRE', KEYS[k], retention)
  else
    if leased and holder ~= token and tonumber(ends) > now and not restored(ends, since, lease) then return 'over' end
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
local a = 4
for k = 3, #KEYS, 2 do
  answers[#answers + 1] = renew(k, a)
  a = a + 5
end
return answers
