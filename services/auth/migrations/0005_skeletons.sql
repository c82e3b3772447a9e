-- Names that look alike belong to one account.

alter table account add name_skeleton text;
create unique index account_name_skeleton on account (name_skeleton) where name_skeleton <> '';
create index account_without_skeleton on account (created_at) where name_skeleton is null;

comment on column account.name_skeleton is
    'The same for all names that look alike; null: not computed yet; empty: an account before it has that skeleton';
