-- A lease covers what one client does to get one copy. So it remembers what was granted under it.

alter table lease
    add column started_at timestamptz not null default now(),
    add column granted bigint not null default 0 check (granted >= 0),
    add column head_granted bigint not null default 65536 check (head_granted >= 0),
    add column may_restart boolean not null default false;

comment on column lease.started_at is 'When its use was taken; a restart from the beginning is covered only soon afterwards';
comment on column lease.granted is 'Bytes that were granted under it, whether or not the client read them';
comment on column lease.head_granted is
    'Those of them that belong to the head of the file; without the head nobody has a second copy';
comment on column lease.may_restart is 'Whether the client may begin again at the first byte: it asks for ranges, or it plays the file';
