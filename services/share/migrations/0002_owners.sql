-- Shares belong to an account or to nobody, may be links as well as codes, and may have a password.

alter table share
    add column form text not null default 'code' check (form in ('code', 'link')),
    add column owner uuid,
    add column password_hash text,
    add constraint share_link_names_a_file check (form = 'code' or kind = 'file');

comment on column share.code is
    'What people type, or what stands in a link; unique among the rows that are still here, so that it is not given out '
    'again too soon';
comment on column share.form is
    'code: short, to be typed, tries are counted. link: long, not to be guessed. Neither is found as the other';
comment on column share.owner is 'The account it belongs to; null: nobody''s';
comment on column share.password_hash is 'Argon2id, in PHC string format; null: the file''s own password holds, if it has one';

create index share_owner_index on share (owner, created_at, id) where owner is not null;
