-- ARGV: room, version, lifetime in ms, capacity, message, author, text, body of the event.
-- Returns 'ok' and the message's body, or the error: 'stale', 'missing', 'foreign'.
if is_stale(ARGV[2]) then
  return {'stale'}
end
local lifetime = tonumber(ARGV[3])
local author, body = living(ARGV[5], lifetime)
if not author then
  return {'missing'}
end
if author ~= ARGV[6] then
  return {'foreign'}
end
redis.call('HSET', EDITS, ARGV[5], ARGV[7])
redis.call('PEXPIRE', EDITS, ARGV[3])
local ends = whole(tonumber(string.match(ARGV[5], '^%d+')) + lifetime)
emit(ARGV[1], ARGV[2], 'edit', ARGV[8], ARGV[5], lifetime, tonumber(ARGV[4]), ends)
return {'ok', body}
