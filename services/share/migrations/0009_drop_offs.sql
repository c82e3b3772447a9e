-- Drop-offs: codes by which anybody sends files to an account.

create table drop_off (
    id          uuid primary key,
    code        text not null,
    spelling    text,
    owner       uuid not null,
    title       text not null,
    greeting    text,
    size_limit  bigint check (size_limit > 0),
    item_limit  integer check (item_limit > 0),
    share_limit integer check (share_limit > 0),
    types       text[] not null,
    received    bigint not null default 0 check (received >= 0),
    created_at  timestamptz not null,
    expires_at  timestamptz,
    ended_at    timestamptz,
    constraint drop_off_code_key unique (code)
);

comment on table drop_off is 'Codes by which anybody sends files to an account, from their creation until a month after their end';
comment on column drop_off.code is 'What people type, in capital letters';
comment on column drop_off.spelling is 'A chosen code as its owner wrote it; null: the code was not chosen';
comment on column drop_off.size_limit is 'The most bytes of all items of one share; null: what the policy allows';
comment on column drop_off.item_limit is 'The most items of one share; null: what every share may have';
comment on column drop_off.share_limit is 'The most shares that it takes; null: any number';
comment on column drop_off.types is 'Rules for the names of files, as in the policy; none: all that the policy allows';
comment on column drop_off.received is 'How many shares it has taken';
comment on column drop_off.expires_at is 'It takes nothing from this moment on; null: no such moment';
comment on column drop_off.ended_at is 'When its owner, or the end of the account, ended it';

create index drop_off_owner_index on drop_off (owner, created_at, id);
create index drop_off_over_index on drop_off (least(ended_at, expires_at));

alter table share add column drop_id uuid references drop_off (id) on delete set null;
comment on column share.drop_id is 'The drop-off by which it was sent';
create index share_drop_id_index on share (drop_id, created_at, id) where drop_id is not null;
