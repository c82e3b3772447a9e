-- Direct messages that were sent with an idempotency key, for ten minutes: the same send again is the same message.

create table inbox_send (
    request    text primary key,
    digest     bytea not null check (length(digest) = 32),
    message_id bigint not null,
    sent_at    timestamptz not null
);

comment on column inbox_send.request is 'A digest of the sender and the key';
comment on column inbox_send.digest is 'SHA-256 of what was sent';
comment on column inbox_send.message_id is 'The message; it may have been deleted since';

create index inbox_send_sent_at_index on inbox_send (sent_at);
