-- ARGV: room, version, kind, body, lifetime in ms. Sends an event to current listeners without logging it.
if not is_stale(ARGV[2]) then
  publish(ARGV[1], ARGV[2], ARGV[3], ARGV[4], whole(NOW + tonumber(ARGV[5])))
end
