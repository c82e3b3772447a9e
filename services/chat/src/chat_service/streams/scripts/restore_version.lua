-- ARGV: version. Records the room's version, whatever was recorded.
redis.call('HSET', ROOM, 's', ARGV[1])
keep(ROOM, DAY)
