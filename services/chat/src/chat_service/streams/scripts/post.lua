-- ARGV: room, version, lifetime in ms, capacity, author, body. Returns the id, or nothing when the version is stale.
local lifetime, capacity = tonumber(ARGV[3]), tonumber(ARGV[4])
if is_stale(ARGV[2]) then
  return false
end
local id = emit(ARGV[1], ARGV[2], 'message', ARGV[6], '', lifetime, capacity, whole(now() + lifetime))
redis.call('XADD', MESSAGES, 'MAXLEN', '=', ARGV[4], id, 'a', ARGV[5], 'b', ARGV[6])
redis.call('XTRIM', MESSAGES, 'MINID', '=', whole(oldest(lifetime)))
redis.call('PEXPIRE', MESSAGES, ARGV[3])
-- Delete the edited texts of messages that are gone, so that they never outnumber the messages.
if redis.call('HLEN', EDITS) > redis.call('XLEN', MESSAGES) then
  for _, edited in ipairs(redis.call('HKEYS', EDITS)) do
    if #redis.call('XRANGE', MESSAGES, edited, edited) == 0 then
      redis.call('HDEL', EDITS, edited)
    end
  end
end
return id
