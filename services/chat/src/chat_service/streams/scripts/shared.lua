-- The beginning of every script. KEYS: room:{id}, its messages, its edits, its log, rooms:live.
-- Times are those of the server's clock, read once, in ms; the server replicates and logs the effects of scripts, not the scripts.
local ROOM, MESSAGES, EDITS, LOG, LIVE = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
-- Texts leave `rooms:live` after so many ms. A reader that lags behind notices it by the numbers of the events, and reads
-- the rooms' logs.
local LIVE_MILLISECONDS, LIVE_LENGTH = 3000, 2000
local DAY = 86400000

local function whole(number)
  return string.format('%.0f', number)
end

local TIME = redis.call('TIME')
local NOW = tonumber(TIME[1]) * 1000 + math.floor(tonumber(TIME[2]) / 1000)

-- The first moment whose messages have not expired: a message of exactly the lifetime's age has.
local function oldest(lifetime)
  return math.max(0, NOW - lifetime + 1)
end

-- Keep a key for at least so long from now.
local function keep(key, milliseconds)
  if redis.call('PTTL', key) < milliseconds then
    redis.call('PEXPIRE', key, whole(milliseconds))
  end
end

local function is_stale(version)
  local known = redis.call('HGET', ROOM, 's')
  return not known or known ~= version
end

-- Send an event to all listeners. Events are numbered; `expires_at`: when it is of no use any more, or ''.
local function publish(room, version, kind, body, expires_at)
  local id = redis.call('XADD', LIVE, 'MINID', '=', whole(NOW - LIVE_MILLISECONDS), '*', 'r', room, 's', version,
    'k', kind, 'b', body, 'x', expires_at, 'n', redis.call('INCR', LIVE .. ':count'))
  redis.call('XTRIM', LIVE, 'MAXLEN', '~', LIVE_LENGTH)
  redis.call('PEXPIRE', LIVE, LIVE_MILLISECONDS)
  return id
end

-- Send an event to all listeners, and log it for those who come back. `reference`: the message it is about, or ''.
local function emit(room, version, kind, body, reference, lifetime, capacity, expires_at)
  local id = publish(room, version, kind, body, expires_at)
  local logged = body
  if kind == 'message' or kind == 'edit' then
    logged = ''
  end
  redis.call('XADD', LOG, 'MAXLEN', '~', whole(2 * capacity + 200), id, 'k', kind, 'b', logged, 'm', reference)
  redis.call('HSET', ROOM, 'm', id)
  redis.call('PEXPIRE', LOG, whole(math.max(lifetime, 60000)))
  keep(ROOM, math.max(lifetime + 60000, DAY))
  return id
end

local function time_of(id)
  return tonumber(string.match(id, '^%d+'))
end

-- The author and the body of a message that has not expired, or nil.
local function living(id, lifetime)
  local found = redis.call('XRANGE', MESSAGES, id, id)[1]
  if not found or time_of(id) < oldest(lifetime) then
    return nil
  end
  return found[2][2], found[2][4]
end
