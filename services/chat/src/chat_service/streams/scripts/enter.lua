-- ARGV: room, process, how long that is trusted in ms, account, name.
local is_news = not is_present(ARGV[4]) or redis.call('HGET', NAMES, ARGV[4]) ~= ARGV[5]
add(ARGV[4], ARGV[5], ARGV[2], tonumber(ARGV[3]))
keep_all(ARGV[2], tonumber(ARGV[3]))
if is_news then
  tell('online', ARGV[4], ARGV[5])
end
