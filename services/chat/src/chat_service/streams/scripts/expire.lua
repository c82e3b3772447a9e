-- ARGV: room. Removes the messages that have expired by the terms of the last post.
local lifetime = counted_lifetime()
remove_surplus(lifetime, math.huge, math.huge)
if redis.call('EXISTS', MESSAGES) == 1 then
  note_first_end(ARGV[1], lifetime)
else
  redis.call('UNLINK', EDITS)
  redis.call('ZREM', DUE, ARGV[1])
end
