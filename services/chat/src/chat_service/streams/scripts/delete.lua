-- ARGV: room, version, lifetime in ms, capacity, message, author ('' for a moderator), body of the event.
-- Returns 'ok', or the error: 'stale', 'missing', 'foreign'.
if is_stale(ARGV[2]) then
  return {'stale'}
end
local author = living(ARGV[5], tonumber(ARGV[3]))
if not author then
  return {'missing'}
end
if ARGV[6] ~= '' and author ~= ARGV[6] then
  return {'foreign'}
end
redis.call('XDEL', MESSAGES, ARGV[5])
redis.call('HDEL', EDITS, ARGV[5])
emit(ARGV[1], ARGV[2], 'delete', ARGV[7], ARGV[5], tonumber(ARGV[3]), tonumber(ARGV[4]), '')
return {'ok'}
