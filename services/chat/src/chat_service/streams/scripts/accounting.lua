-- The beginning of the scripts that add, change or remove messages, after shared.lua: the bytes and the rates of posting.
-- The hash of an account, `account:{id}:posted`, holds in `t` the moment up to which its rate is used up, and by other
-- moments the bytes of its messages that expire until then. `t` and `y` of a room: the same moment, and the bytes in it.
-- All messages of a room are counted by the room's lifetime `l`; when that changes, they are counted again.
local BURST = 6000
-- The rooms that have messages, by the moment when the first of them expires.
local DUE = 'rooms:due'

local function posted_by(author)
  return 'account:' .. author .. ':posted'
end

-- The moment up to which a rate is used up. That may be some seconds ahead, so that bursts pass.
local function used_until(key)
  return math.max(NOW, tonumber(redis.call('HGET', key, 't') or 0))
end

-- Count one more event.
local function use(key, from, per_minute)
  redis.call('HSET', key, 't', whole(math.ceil(from + 60000 / per_minute)))
end

-- Messages of an account that expire at about the same time are counted together, by the moment when all are gone.
local function period(id, lifetime)
  local width = math.max(60000, math.floor(lifetime / 16))
  return whole((math.floor((time_of(id) + lifetime) / width) + 1) * width), lifetime + width
end

-- The bytes of an account's messages in all rooms.
local function bytes_of(author)
  local key, sum = posted_by(author), 0
  local found = redis.call('HGETALL', key)
  for n = 1, #found, 2 do
    if found[n] ~= 't' then
      if tonumber(found[n]) <= NOW then
        redis.call('HDEL', key, found[n])
      else
        sum = sum + tonumber(found[n + 1])
      end
    end
  end
  return sum
end

-- Count so many more bytes (or less) of an account in one of its periods, which lasts so long from now.
local function add_bytes(author, field, lasts, size)
  local key = posted_by(author)
  if size > 0 then
    redis.call('HINCRBY', key, field, whole(size))
    keep(key, lasts)
  elseif tonumber(redis.call('HGET', key, field) or 0) > -size then
    redis.call('HINCRBY', key, field, whole(size))
  else
    redis.call('HDEL', key, field)
  end
end

-- The lifetime by which the messages of the room are counted.
local counted
local function counted_lifetime()
  counted = counted or tonumber(redis.call('HGET', ROOM, 'l') or 0)
  return counted
end

-- Count `size` more bytes (or less) for a message.
local function charge(author, id, size)
  local field, lasts = period(id, counted_lifetime())
  add_bytes(author, field, lasts, size)
  redis.call('HINCRBY', ROOM, 'y', whole(size))
end

local function size_of(entry)
  return #entry[2][4] + redis.call('HSTRLEN', EDITS, entry[1])
end

-- Count the messages of the room by this lifetime from now on.
local function count_by(lifetime)
  local before = counted_lifetime()
  if before == lifetime then
    return
  end
  local sums = {}
  for _, entry in ipairs(redis.call('XRANGE', MESSAGES, '-', '+')) do
    local author, size = entry[2][2], size_of(entry)
    local of_author = sums[author] or {}
    sums[author] = of_author
    local old, new = period(entry[1], before), period(entry[1], lifetime)
    of_author[old] = (of_author[old] or 0) - size
    of_author[new] = (of_author[new] or 0) + size
  end
  for author, of_author in pairs(sums) do
    for field, size in pairs(of_author) do
      if size ~= 0 then
        add_bytes(author, field, math.max(0, tonumber(field) - NOW), size)
      end
    end
  end
  redis.call('HSET', ROOM, 'l', whole(lifetime))
  counted = lifetime
  for _, key in ipairs({MESSAGES, EDITS}) do
    if redis.call('EXISTS', key) == 1 then
      keep(key, lifetime)
    end
  end
end

-- Remove a message with its edited text; returns its bytes.
local function remove_message(entry)
  local id, size = entry[1], size_of(entry)
  redis.call('XDEL', MESSAGES, id)
  redis.call('HDEL', EDITS, id)
  charge(entry[2][2], id, -size)
  return size
end

-- Remove the messages that have expired, and the oldest ones above the capacity or above so many bytes. Returns the
-- oldest one that is left, or nil.
local function remove_surplus(lifetime, capacity, bytes)
  local left, first_kept = redis.call('XLEN', MESSAGES), oldest(lifetime)
  if left == 0 then
    redis.call('HDEL', ROOM, 'y')
    return
  end
  local size = tonumber(redis.call('HGET', ROOM, 'y') or 0)
  while left > 0 do
    local entry = redis.call('XRANGE', MESSAGES, '-', '+', 'COUNT', 1)[1]
    if time_of(entry[1]) >= first_kept and left <= capacity and size <= bytes then
      return entry
    end
    size = size - remove_message(entry)
    left = left - 1
  end
end

-- Note when the first message of a room, if there is one, expires, so that the sweep removes it then.
local function note_first_end(room, lifetime, first)
  if first then
    redis.call('ZADD', DUE, whole(time_of(first[1]) + lifetime), room)
  else
    redis.call('ZREM', DUE, room)
  end
end

-- Why an account may not write now: a reply for the caller; nil: it may, and that is counted.
-- `size`: the bytes that its messages grow by; `limits`: events a minute for it and for the room, and its bytes.
local function refusal(author, size, limits)
  local account = posted_by(author)
  local own, common, latest = used_until(account), used_until(ROOM), NOW + BURST
  if own > latest then
    return {'account_rate', whole(own - latest)}
  end
  if common > latest then
    return {'room_rate', whole(common - latest)}
  end
  if size > 0 and bytes_of(author) + size > limits.bytes then
    return {'account_bytes'}
  end
  use(account, own, limits.account)
  use(ROOM, common, limits.room)
  keep(account, BURST + 60000)
  return nil
end
