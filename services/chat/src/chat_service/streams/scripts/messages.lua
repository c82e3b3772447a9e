-- ARGV: lifetime in ms, capacity, and the last event that the caller knows the messages of, or ''.
-- Returns version, last event, the oldest message ('' if there is none), 'whole' or 'added' (only the messages after that
-- event, because it knows all others as they are), then id, body and edited text of each, newest first.
local lifetime, capacity, known = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

-- Whether messages were only added since the event, as far as the log tells.
local function is_added()
  local events = known ~= '' and redis.call('XRANGE', LOG, known, '+', 'COUNT', 2 * capacity) or {}
  if #events == 0 or #events == 2 * capacity or events[1][1] ~= known then
    return false
  end
  for n = 2, #events do
    local kind = events[n][2][2]
    if kind == 'edit' or kind == 'delete' then
      return false
    end
  end
  return true
end

local found = redis.call('HMGET', ROOM, 's', 'm')
local oldest_kept = whole(oldest(lifetime))
local from, state = oldest_kept, 'whole'
if is_added() then
  from, state = '(' .. known, 'added'
end
local first = redis.call('XRANGE', MESSAGES, oldest_kept, '+', 'COUNT', 1)[1]
found[3], found[4] = first and first[1] or '', state
local has_edits = redis.call('EXISTS', EDITS) == 1
for _, entry in ipairs(redis.call('XREVRANGE', MESSAGES, '+', from, 'COUNT', capacity)) do
  if time_of(entry[1]) >= tonumber(oldest_kept) then
    found[#found + 1] = entry[1]
    found[#found + 1] = entry[2][4]
    found[#found + 1] = has_edits and redis.call('HGET', EDITS, entry[1])
  end
end
return found
