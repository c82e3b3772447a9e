-- ARGV: room, process, how long that is trusted in ms, then account and name of each that is connected to the process.
-- Accounts that no process has reported for so long are gone.
for n = 4, #ARGV, 2 do
  local was_present = is_present(ARGV[n])
  add(ARGV[n], ARGV[n + 1], ARGV[2], tonumber(ARGV[3]))
  if not was_present then
    tell('online', ARGV[n], ARGV[n + 1])
  end
end
keep_all(ARGV[2], tonumber(ARGV[3]))
local over = redis.call('ZRANGEBYSCORE', PRESENT, '-inf', whole(now()))
for _, member in ipairs(over) do
  redis.call('ZREM', PRESENT, member)
end
for _, member in ipairs(over) do
  local account = string.match(member, '^%S+')
  if redis.call('HEXISTS', NAMES, account) == 1 then
    remove(account)
  end
end
