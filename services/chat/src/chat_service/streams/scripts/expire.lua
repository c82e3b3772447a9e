-- ARGV: room. Removes the messages that have expired by the terms of the last post.
local lifetime = counted_lifetime()
local first = remove_surplus(lifetime, math.huge, math.huge)
note_first_end(ARGV[1], lifetime, first)
if not first then
  redis.call('UNLINK', EDITS)
end
