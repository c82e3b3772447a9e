-- ARGV: lifetime in ms, the last event that was seen. Returns 'whole' or 'torn' (some later events are forgotten),
-- version, last event, then of each later event: id, kind, body, the message that it is about, edited text.
-- Messages that have expired or were deleted, and their edits, are left out.
local lifetime, after = tonumber(ARGV[1]), ARGV[2]
local known = redis.call('HMGET', ROOM, 's', 'm')
local found = {'whole', known[1], known[2]}
if known[2] == after then
  return found
end

local function before(a, b)
  local a_time, a_number = string.match(a, '^(%d+)-(%d+)$')
  local b_time, b_number = string.match(b, '^(%d+)-(%d+)$')
  if a_time ~= b_time then
    return tonumber(a_time) < tonumber(b_time)
  end
  return tonumber(a_number) < tonumber(b_number)
end

local first = redis.call('XRANGE', LOG, '-', '+', 'COUNT', 1)[1]
if not first or not known[2] or before(after, first[1]) or before(known[2], after) then
  found[1] = 'torn'
  return found
end
for _, entry in ipairs(redis.call('XRANGE', LOG, '(' .. after, '+')) do
  local id, kind, body, reference = entry[1], entry[2][2], entry[2][4], entry[2][6]
  local is_told, edited = true, false
  if kind == 'message' then
    local _, kept = living(id, lifetime)
    is_told, body = kept ~= nil, kept
    edited = redis.call('HGET', EDITS, id)
  elseif kind == 'edit' then
    edited = living(reference, lifetime) and redis.call('HGET', EDITS, reference)
    is_told = edited
  end
  if is_told then
    for _, value in ipairs({id, kind, body, reference, edited}) do
      found[#found + 1] = value
    end
  end
end
return found
