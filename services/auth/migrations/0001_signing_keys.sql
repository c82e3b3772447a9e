-- The keys by which services trust one another's tokens.

create table signing_key (
    kid         text primary key,
    private_key bytea not null check (length(private_key) = 32),
    public_key  bytea not null check (length(public_key) = 32),
    created_at  timestamptz not null,
    retired_at  timestamptz
);

comment on table signing_key is 'Ed25519 keys; the newest that is not retired signs';
comment on column signing_key.kid is 'Named in the header of each token: the start of the SHA-256 of the public key, in hex';
comment on column signing_key.private_key is 'The 32 bytes of the seed (RFC 8032)';
comment on column signing_key.retired_at is 'Signs nothing from here on; its tokens are accepted until they have run out';
