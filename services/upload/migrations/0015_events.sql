-- Events that webhooks and notices tell of, until the share service has them.
--
-- Triggers write them, in the transaction of what happened: files become ready in many ways.

create table event (
    id     uuid primary key default gen_random_uuid(),
    number bigint not null generated always as identity,
    type   text not null,
    owner  uuid,
    at     timestamptz not null default clock_timestamp(),
    data   jsonb not null,
    constraint event_number_key unique (number)
);

comment on table event is 'Events that the share service is still to be told of, in the order of their numbers';
comment on column event.owner is 'The account that it concerns; null: the place';

create table noticed (
    type text primary key,
    at   timestamptz not null
);

comment on table noticed is 'When an event was last written that is not to be repeated for a while';

create function event_of_file() returns trigger language plpgsql as $$
begin
    insert into event (type, owner, data) values (
        'file.arrived', new.owner, jsonb_build_object('file_id', new.id, 'name', new.name, 'size', new.size));
    return null;
end $$;

create trigger file_made_ready_is_told after insert on file
    for each row when (new.state = 'ready' and new.owner is not null) execute function event_of_file();
create trigger file_ready_is_told after update of state on file
    for each row when (new.state = 'ready' and old.state <> 'ready' and new.owner is not null)
    execute function event_of_file();

create function event_of_mirror() returns trigger language plpgsql as $$
begin
    insert into event (type, data) values (
        'mirror.failed', jsonb_build_object('mirror_id', new.id, 'name', new.name, 'error', new.probe_error));
    return null;
end $$;

create trigger mirror_failed_is_told after update of failures, probe_error on mirror
    for each row when (new.removed_at is null
        and ((old.probe_error is null and new.probe_error is not null) or (old.failures < 3 and new.failures >= 3)))
    execute function event_of_mirror();
