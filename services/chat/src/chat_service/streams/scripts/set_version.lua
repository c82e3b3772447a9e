-- ARGV: version. Records the room's version, unless a later one is recorded.
local known = redis.call('HGET', ROOM, 's')
if not known or tonumber(known) < tonumber(ARGV[1]) then
  redis.call('HSET', ROOM, 's', ARGV[1])
end
keep(ROOM, DAY)
