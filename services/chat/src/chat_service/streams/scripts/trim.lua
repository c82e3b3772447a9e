-- ARGV: room, version, lifetime in ms, capacity. Removes the messages that are expired or above the capacity by these
-- terms, and counts the others by them.
local first = remove_surplus(tonumber(ARGV[3]), tonumber(ARGV[4]), math.huge)
count_by(tonumber(ARGV[3]))
note_first_end(ARGV[1], tonumber(ARGV[3]), first)
