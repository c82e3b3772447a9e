-- Revoked shares are looked up by themselves, whatever room they were posted in.

create index room_file_share_index on room_file (share_id);
