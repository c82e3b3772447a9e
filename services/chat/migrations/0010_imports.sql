-- Rooms, memberships and messages that were taken over from another system, so that a second import takes only what is new.

create table imported (
    origin      bytea primary key check (length(origin) = 32),
    room_id     bigint,
    imported_at timestamptz not null
);

comment on table imported is 'What was imported from other systems, which stays known after it was deleted here';
comment on column imported.origin is 'A digest of what identifies the room, membership or message there';
comment on column imported.room_id is 'The room that a room became; null: not a room';
comment on column room.password_hash is
    'Argon2id, in PHC string format; after sha256: it is of the SHA-256 of the password, which another system kept; null: a public room, or one that only invitations open';
