-- ARGV: room. Removes everything of it, and gives the bytes of its messages back to their authors.
remove_surplus(tonumber(redis.call('HGET', ROOM, 'l') or 0), -1, math.huge)
redis.call('UNLINK', ROOM, MESSAGES, EDITS, LOG)
redis.call('ZREM', DUE, ARGV[1])
