-- ARGV: room, version, lifetime in ms, capacity, message, author ('' for a moderator), body of the event.
-- Returns 'ok', or the error: 'stale', 'missing', 'foreign'.
if is_stale(ARGV[2]) then
  return {'stale'}
end
local lifetime = tonumber(ARGV[3])
local author, body = living(ARGV[5], lifetime)
if not author then
  return {'missing'}
end
if ARGV[6] ~= '' and author ~= ARGV[6] then
  return {'foreign'}
end
remove_message({ARGV[5], {'a', author, 'b', body}})
emit(ARGV[1], ARGV[2], 'delete', ARGV[7], ARGV[5], lifetime, tonumber(ARGV[4]), '')
return {'ok'}
