-- ARGV: lifetime in ms, key and digest of a send. Returns 'ok' with the id, the body and the edited text of the message
-- that was sent with the key, or the error: 'reused' (something else was sent), 'missing' (nothing was).
return sent_before(ARGV[2], ARGV[3], tonumber(ARGV[1])) or {'missing'}
