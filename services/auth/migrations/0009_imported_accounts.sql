-- Accounts that were taken over from another system, so that a second import takes only what is new.

create table imported_account (
    origin      bytea primary key check (length(origin) = 32),
    account_id  uuid not null,
    imported_at timestamptz not null
);

comment on table imported_account is 'Accounts of other systems, which stay known after they were deleted here';
comment on column imported_account.origin is 'A digest of what identifies the account there';
comment on column account.password_hash is
    'Argon2id, as a PHC string; until its owner signs in, an imported account may have a hash of werkzeug''s, or unknown';
