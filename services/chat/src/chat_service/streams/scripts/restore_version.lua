-- ARGV: version. Says that the room has this version, whatever is known.
redis.call('HSET', ROOM, 's', ARGV[1])
keep(ROOM, DAY)
