-- ARGV: version. Says that the room has this version, unless a later one is known.
local known = redis.call('HGET', ROOM, 's')
if not known or tonumber(known) < tonumber(ARGV[1]) then
  redis.call('HSET', ROOM, 's', ARGV[1])
end
keep(ROOM, DAY)
