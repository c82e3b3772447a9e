-- Revoked shares are looked up by themselves, whatever room they were posted in.

drop index room_file_revoke_at_index;
create index room_file_revoke_at_index on room_file (revoke_at, due_at) where revoke_at is not null;
create index room_file_share_index on room_file (share_id);
