-- ARGV: room, version, lifetime in ms, capacity, message, author, text, body of the event, then the limits: events a
-- minute of the account and of the room, bytes of the account.
-- Returns 'ok' and the message's body, or the error: 'missing', 'foreign', or one of those of post.lua.
if is_stale(ARGV[2]) then
  return {'stale'}
end
local lifetime, message, author_now = tonumber(ARGV[3]), ARGV[5], ARGV[6]
local author, body = living(message, lifetime)
if not author then
  return {'missing'}
end
if author ~= author_now then
  return {'foreign'}
end
local growth = #ARGV[7] - redis.call('HSTRLEN', EDITS, message)
local limits = {account = tonumber(ARGV[9]), room = tonumber(ARGV[10]), bytes = tonumber(ARGV[11])}
local refused = refusal(author, growth, limits)
if refused then
  return refused
end
redis.call('HSET', EDITS, message, ARGV[7])
redis.call('PEXPIRE', EDITS, redis.call('PTTL', MESSAGES))
count_by(lifetime)
charge(author, message, growth)
local ends = whole(time_of(message) + lifetime)
emit(ARGV[1], ARGV[2], 'edit', ARGV[8], message, lifetime, tonumber(ARGV[4]), ends)
return {'ok', body}
