-- What was sent, fetched, shared, refused and failed, by hours and later by days. Nothing about any person or file.

create table statistic (
    step    text not null check (step in ('hour', 'day')),
    at      timestamptz not null,
    name    text not null,
    dialect text not null,
    value   bigint not null,
    primary key (step, at, name, dialect)
);

comment on table statistic is 'Sums over hours, and over days (in UTC) when the hours are too old to be kept';
comment on column statistic.dialect is 'The interface by which it was asked for: native, fetch, system, or that of a foreign protocol';

create table statistic_batch (
    id       uuid primary key,
    added_at timestamptz not null
);

create index statistic_batch_added_at_index on statistic_batch (added_at);

comment on table statistic_batch is 'Batches of numbers that were added, so that none is added again by a repeated attempt';
