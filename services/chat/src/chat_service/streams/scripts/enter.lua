-- ARGV: room, process, how long that is trusted in ms, account, name.
local was_present = is_present(ARGV[4])
add(ARGV[4], ARGV[5], ARGV[2], tonumber(ARGV[3]))
keep_all(ARGV[2], tonumber(ARGV[3]))
if not was_present then
  tell('online', ARGV[4], ARGV[5])
end
