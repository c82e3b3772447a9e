-- ARGV: room. Removes everything of it, and gives the bytes of its messages back to their authors.
remove_surplus(counted_lifetime(), -1, math.huge)
redis.call('UNLINK', ROOM, MESSAGES, EDITS, LOG)
redis.call('ZREM', DUE, ARGV[1])
