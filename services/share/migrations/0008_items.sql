-- Shares of several items: files and texts under one code, which exists before their first byte.

create table item (
    id         uuid primary key,
    share_id   uuid not null references share (id) on delete cascade,
    position   integer not null,
    kind       text not null check (kind in ('file', 'text')),
    name       text not null,
    size       bigint not null check (size >= 0),
    body       text,
    sha256     bytea check (length(sha256) = 32),
    state      text not null check (state in ('waiting', 'verifying', 'ready', 'failed', 'removed')),
    session_id uuid,
    file_id    uuid,
    look_at    timestamptz not null,
    constraint item_position_key unique (share_id, position),
    constraint item_ready_has_content
        check (state <> 'ready' or (sha256 is not null and (kind = 'text') = (body is not null)
            and (kind = 'file') = (file_id is not null)))
);

comment on table item is 'The files and texts of shares of the kind items, until their share gave back what it held';
comment on column item.position is 'Its place among the items of its share; there may be gaps';
comment on column item.size is 'Bytes, as announced by the sender: the content has this size or is refused';
comment on column item.body is 'The content of a text';
comment on column item.state is
    'waiting: its content has not arrived. verifying: all bytes are there. ready: can be fetched. failed: abandoned by its '
    'sender, or not what was claimed. removed: not shown any more, what it holds is to be given back';
comment on column item.session_id is 'The upload session that brings the content; no other may. Null: none was begun';
comment on column item.file_id is 'The file at the upload service, once there is one';
comment on column item.look_at is
    'waiting, verifying: when a sweep looks next what became of its upload. failed: when a sweep looks whether its share is '
    'over; infinity afterwards. removed: when it is given back next';

create index item_look_at_index on item (look_at) where state in ('waiting', 'verifying', 'failed');
create index item_removed_index on item (look_at) where state = 'removed';
create index item_file_id_index on item (file_id) where file_id is not null;

-- As for the states of shares.
alter table item alter column state set statistics 0;
alter table item set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);

alter table share
    add column title text,
    add column message text,
    add column spelling text,
    add column request_digest bytea check (length(request_digest) = 32),
    drop constraint share_kind_check,
    add constraint share_kind_check check (kind in ('file', 'text', 'items'));

comment on column share.kind is
    'file: a file of the upload service; text: the text in body; items: any number of both, in the table item';
comment on column share.size is 'Bytes: of the file, of the text in UTF-8, or of all items together';
comment on column share.code is
    'What people type, in capital letters, or what stands in a link or in the address of a page; unique among the rows '
    'that are still here, so that it is not given out again too soon';
comment on column share.spelling is 'A chosen code as its sender wrote it; null: as in code';
comment on column share.origin is
    'What a share was made for, such as an upload session or a request with an idempotency key: asking twice makes one';
comment on column share.request_digest is 'SHA-256 of the request with an idempotency key that made it';

alter table lease
    add column item_id uuid not null default '00000000-0000-0000-0000-000000000000',
    add column copies integer not null default 1 check (copies > 0),
    drop constraint lease_pkey,
    add primary key (share_id, holder, item_id);

comment on column lease.item_id is
    'The item that was fetched, the share itself for all items in one archive, or zero for a share without items. Zero is '
    'also the row that counts the uses which the holder of a share with items has taken';
comment on column lease.copies is 'How often the holder has begun to fetch it, or for zero, the uses that the holder took';
