-- ARGV: room, version, lifetime in ms, capacity. Removes the messages that are expired or above the capacity by these terms.
redis.call('XTRIM', MESSAGES, 'MINID', '=', whole(oldest(tonumber(ARGV[3]))))
redis.call('XTRIM', MESSAGES, 'MAXLEN', '=', ARGV[4])
