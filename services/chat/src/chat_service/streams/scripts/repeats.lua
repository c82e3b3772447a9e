-- The beginning of the scripts that know repeated sends, after accounting.lua: the messages that were sent with an
-- idempotency key lately. A key holds the digest of what was sent and the id of its message.
local REPEATABLE = 600000

-- What was sent with this key: a reply for the caller; nil: nothing was.
local function sent_before(key, digest, lifetime)
  local known = key ~= '' and redis.call('GET', key)
  if not known then
    return nil
  end
  if string.sub(known, 1, #digest) ~= digest then
    return {'reused'}
  end
  local id = string.sub(known, #digest + 2)
  local _, body = living(id, lifetime)
  return {'ok', id, body or false, redis.call('HGET', EDITS, id)}
end

local function note_sent(key, digest, id)
  if key ~= '' then
    redis.call('SET', key, digest .. ' ' .. id, 'PX', REPEATABLE)
  end
end
