-- ARGV: room, process, account.
if redis.call('ZREM', PRESENT, ARGV[3] .. ' ' .. ARGV[2]) == 1 then
  remove(ARGV[3])
end
