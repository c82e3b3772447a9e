-- Looked up before a room is created, and before a direct message is sent.

create index room_owner_index on room (owner) where closed_at is null;
create index inbox_message_pair_index on inbox_message (sender, recipient);
