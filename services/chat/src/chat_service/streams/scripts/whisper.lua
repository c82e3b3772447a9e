-- ARGV: room, version, kind, body, lifetime in ms. Sends an event to current listeners without logging it.
if not is_stale(ARGV[2]) then
  redis.call('XADD', LIVE, 'MAXLEN', '~', LIVE_LENGTH, '*',
    'r', ARGV[1], 's', ARGV[2], 'k', ARGV[3], 'b', ARGV[4], 'x', whole(now() + tonumber(ARGV[5])))
end
