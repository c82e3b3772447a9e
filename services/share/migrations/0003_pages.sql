-- Pages: a third form of share, which shows a file with its mirrors. What ended a share is remembered.

alter table share
    drop constraint share_form_check,
    add constraint share_form_check check (form in ('code', 'link', 'page')),
    add column number bigint generated always as identity,
    add column ended_for text check (ended_for in ('owner', 'administrator', 'copyright')),
    add constraint share_number_key unique (number);

comment on table share is 'Shares, from their creation until a day, or for pages a month, after they gave back what they held';
comment on column share.code is
    'What people type, or what stands in a link or in the address of a page; unique among the rows that are still here, '
    'so that it is not given out again too soon';
comment on column share.form is
    'code: short, to be typed, tries are counted. link, page: long, not to be guessed. None is found as another';
comment on column share.number is 'Its id for clients that know numbers only';
comment on column share.ended_for is
    'Who ended it before its time, or what for; null: nobody yet, or its time, its uses or something unknown did';

-- Pages are kept for longer than the rest, and are not to be walked over by each sweep meanwhile.
drop index share_released_at_index;
create index share_released_at_index on share (form, released_at) where state = 'released';
