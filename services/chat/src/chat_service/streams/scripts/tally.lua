-- Returns how many messages there are, and the id of the last one.
local last = redis.call('XREVRANGE', MESSAGES, '+', '-', 'COUNT', 1)[1]
return {redis.call('XLEN', MESSAGES), last and last[1] or false}
