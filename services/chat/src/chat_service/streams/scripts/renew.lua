-- ARGV: room, process, how long that is trusted in ms, then account and name of each that is connected to the process.
-- Accounts that no process has reported for so long are gone.
for n = 4, #ARGV, 2 do
  local is_news = not is_present(ARGV[n]) or redis.call('HGET', NAMES, ARGV[n]) ~= ARGV[n + 1]
  add(ARGV[n], ARGV[n + 1], ARGV[2], tonumber(ARGV[3]))
  if is_news then
    tell('online', ARGV[n], ARGV[n + 1])
  end
end
keep_all(ARGV[2], tonumber(ARGV[3]))
local over = redis.call('ZRANGEBYSCORE', PRESENT, '-inf', whole(NOW))
for _, member in ipairs(over) do
  redis.call('ZREM', PRESENT, member)
end
for _, member in ipairs(over) do
  local account = string.match(member, '^%S+')
  if redis.call('HEXISTS', NAMES, account) == 1 then
    remove(account)
  end
end
