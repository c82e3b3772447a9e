-- The beginning of every script about presence, after shared.lua. Further KEYS: the connected accounts, their names, all
-- processes. A member of the first is an account and a process that it is connected to; its score is its expiry.
local PRESENT, NAMES, PROCESSES = KEYS[6], KEYS[7], KEYS[8]

local function tell(kind, account, name)
  local version = redis.call('HGET', ROOM, 's') or '0'
  publish(ARGV[1], version, kind, account .. ' ' .. name, '')
end

local function is_present(account)
  local time = NOW
  for _, process in ipairs(redis.call('ZRANGEBYSCORE', PROCESSES, '(' .. whole(time), '+inf')) do
    local ends = redis.call('ZSCORE', PRESENT, account .. ' ' .. process)
    if ends and tonumber(ends) > time then
      return true
    end
  end
  return false
end

local function add(account, name, process, milliseconds)
  redis.call('ZADD', PRESENT, whole(NOW + milliseconds), account .. ' ' .. process)
  redis.call('HSET', NAMES, account, name)
end

local function remove(account)
  if not is_present(account) then
    tell('offline', account, redis.call('HGET', NAMES, account) or '')
    redis.call('HDEL', NAMES, account)
  end
end

local function keep_all(process, milliseconds)
  redis.call('ZADD', PROCESSES, whole(NOW + milliseconds), process)
  redis.call('ZREMRANGEBYSCORE', PROCESSES, '-inf', whole(NOW))
  -- Longer than its members are trusted, so that the remaining listeners are told who has gone.
  keep(PRESENT, 3 * milliseconds)
  keep(NAMES, 3 * milliseconds)
end
