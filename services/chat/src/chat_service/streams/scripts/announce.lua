-- ARGV: room, version, lifetime in ms, capacity, kind, body. Returns the event's id.
-- Also records the room's version, unless a later one is recorded.
local known = redis.call('HGET', ROOM, 's')
if not known or tonumber(known) < tonumber(ARGV[2]) then
  redis.call('HSET', ROOM, 's', ARGV[2])
end
return emit(ARGV[1], ARGV[2], ARGV[5], ARGV[6], '', tonumber(ARGV[3]), tonumber(ARGV[4]), '')
