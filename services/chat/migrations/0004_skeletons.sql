-- Names that look alike belong to one open room.

alter table room add name_skeleton text;
create unique index room_name_skeleton_index on room (name_skeleton) where closed_at is null and name_skeleton <> '';
create index room_without_skeleton_index on room (id) where closed_at is null and name_skeleton is null;

comment on column room.name_skeleton is
    'The same for all names that look alike; null: not computed yet; empty: a room before it has that skeleton';
