-- ARGV: lifetime in ms, the last message that the reader has seen ('': none), the reader, how many of the newest messages
-- are looked at. Returns how many of those were posted later, by others.
local from = oldest(tonumber(ARGV[1]))
local seen = ARGV[2]
local start = whole(from)
if seen ~= '' and time_of(seen) >= from then
  start = '(' .. seen
end
local count = 0
for _, entry in ipairs(redis.call('XREVRANGE', MESSAGES, '+', start, 'COUNT', ARGV[4])) do
  if entry[2][2] ~= ARGV[3] then
    count = count + 1
  end
end
return count
