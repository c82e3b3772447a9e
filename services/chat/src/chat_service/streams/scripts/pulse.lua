-- Returns version, last event, and the server's clock in ms.
local found = redis.call('HMGET', ROOM, 's', 'm')
return {found[1], found[2], whole(NOW)}
