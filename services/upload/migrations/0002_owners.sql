-- Owners are accounts, or nobody; files end at a moment of their owner's choice and may ask for a password.

alter table upload_session alter column owner type uuid using owner::uuid;

alter table file
    alter column owner type uuid using owner::uuid,
    -- From then on the file is served to nobody and listed nowhere; a sweep ends its shares and releases it.
    add column expires_at timestamptz,
    -- In PHC string format; asked for by whoever redeems a share that has no password of its own.
    add column password_hash text;

-- An account's files, in the order in which they are listed.
create index file_owned on file (owner, created_at, id) where owner is not null;
create index file_over on file (expires_at) where expires_at is not null;
create index upload_session_owned on upload_session (owner) where owner is not null and state = 'open';
