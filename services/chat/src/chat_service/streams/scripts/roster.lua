-- Returns account and name of each connected account.
local found, seen = {}, {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', PRESENT, '(' .. whole(NOW), '+inf')) do
  local account = string.match(member, '^%S+')
  if not seen[account] then
    seen[account] = true
    found[#found + 1] = account
    found[#found + 1] = redis.call('HGET', NAMES, account) or ''
  end
end
return found
