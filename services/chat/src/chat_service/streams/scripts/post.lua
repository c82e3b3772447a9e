-- ARGV: room, version, lifetime in ms, capacity, author, body, then the limits: events a minute of the account and of
-- the room, bytes of the account and of the room, then the key ('' for none) and the digest of a send that may be repeated.
-- Returns 'ok' and the id, or the error: 'stale', 'account_rate' or 'room_rate' with the ms to wait, 'account_bytes', or
-- 'reused'. Of a repeated send, its body and edited text follow the id, if it has not expired.
local lifetime, capacity, author, body = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], ARGV[6]
if is_stale(ARGV[2]) then
  return {'stale'}
end
local again = sent_before(ARGV[11], ARGV[12], lifetime)
if again then
  return again
end
local refused = refusal(author, #body, {account = tonumber(ARGV[7]), room = tonumber(ARGV[8]), bytes = tonumber(ARGV[9])})
if refused then
  return refused
end
if redis.call('EXISTS', MESSAGES) == 0 then
  -- They have expired all together.
  redis.call('UNLINK', EDITS)
  redis.call('HDEL', ROOM, 'y')
end
count_by(lifetime)
local id = emit(ARGV[1], ARGV[2], 'message', body, '', lifetime, capacity, whole(NOW + lifetime))
redis.call('XADD', MESSAGES, id, 'a', author, 'b', body)
redis.call('PEXPIRE', MESSAGES, ARGV[3])
redis.call('PEXPIRE', EDITS, ARGV[3])
charge(author, id, #body)
local first = remove_surplus(lifetime, capacity, tonumber(ARGV[10]))
note_first_end(ARGV[1], lifetime, first)
note_sent(ARGV[11], ARGV[12], id)
return {'ok', id}
