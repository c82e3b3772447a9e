-- ARGV: lifetime in ms, capacity. Returns version, last event, then id, body and edited text of each, newest first.
local found = redis.call('HMGET', ROOM, 's', 'm')
local entries = redis.call('XREVRANGE', MESSAGES, '+', whole(oldest(tonumber(ARGV[1]))), 'COUNT', ARGV[2])
local has_edits = redis.call('EXISTS', EDITS) == 1
for _, entry in ipairs(entries) do
  found[#found + 1] = entry[1]
  found[#found + 1] = entry[2][4]
  found[#found + 1] = has_edits and redis.call('HGET', EDITS, entry[1])
end
return found
