-- Webhooks, and the events that are still to be told to them.
--
-- Triggers write the events, in the transaction of what happened. A dozen paths end a share or take a use; each would have
-- to remember, and each would need one more round trip.

create table webhook (
    id         uuid primary key,
    owner      uuid not null,
    url        text not null,
    events     text[] not null,
    is_enabled boolean not null default true,
    created_at timestamptz not null,
    due_at     timestamptz not null,
    failures   integer not null default 0 check (failures >= 0),
    called_at  timestamptz,
    error      text
);

comment on table webhook is 'URLs that are called when something happens to shares';
comment on column webhook.owner is 'The account whose shares it hears of; zero: of everybody''s';
comment on column webhook.due_at is 'When its next event may be sent: later after failures, or while a process is calling it';
comment on column webhook.failures is 'Failures in a row';
comment on column webhook.error is 'The failure of the last call; null: there was none';

create index webhook_owner_index on webhook (owner, created_at, id);

create table webhook_event (
    id         bigint primary key generated always as identity,
    webhook_id uuid not null,
    type       text not null,
    at         timestamptz not null,
    data       jsonb not null
);

comment on table webhook_event is 'Events that a webhook is still to be told of, in this order; those of one share never change places';
comment on column webhook_event.webhook_id is
    'The webhook. No foreign key: a download must neither wait for whoever changes the webhook, nor fail when it is deleted';

create index webhook_event_webhook_index on webhook_event (webhook_id, id);
create index webhook_event_at_index on webhook_event (at);

create function tell_webhooks(types text[], subject share) returns void language sql as $$
    insert into webhook_event (webhook_id, type, at, data)
    select webhook.id, told.type, clock_timestamp(), jsonb_build_object(
        'share_id', subject.id,
        'form', subject.form,
        'name', coalesce(subject.title, subject.name),
        'size', subject.size,
        'expires_at', subject.expires_at,
        'downloads', subject.used_count,
        'downloads_left', subject.uses_left,
        'ended_for', subject.ended_for
    )
    from unnest(types) with ordinality as told (type, number)
    join webhook on webhook.owner in (subject.owner, '00000000-0000-0000-0000-000000000000')
        and webhook.is_enabled and told.type = any(webhook.events)
    order by told.number
$$;

create function tell_of_share() returns trigger language plpgsql as $$
begin
    perform tell_webhooks(array_remove(array[
        case when tg_op = 'INSERT' then 'share.made' end,
        case when tg_op = 'UPDATE' and new.used_count > old.used_count then 'share.fetched' end,
        case when tg_op = 'UPDATE' and old.state in ('active', 'spent') and new.state = 'ended' then 'share.ended' end
    ], null), new);
    return null;
end $$;

create trigger share_made_is_told after insert on share for each row execute function tell_of_share();
create trigger share_changed_is_told after update of state, used_count on share
    for each row when (new.used_count > old.used_count or new.state <> old.state) execute function tell_of_share();

create function tell_of_item() returns trigger language plpgsql as $$
declare
    whole share;
begin
    if not exists (select from webhook where is_enabled and 'share.complete' = any(events)) then
        return null;
    end if;
    -- Of the last two items that become ready at the same time, one waits here, and then sees the other.
    perform pg_advisory_xact_lock(hashtextextended('complete ' || new.share_id, 0));
    if not exists (select from item where share_id = new.share_id and state in ('waiting', 'verifying')) then
        select * into whole from share where id = new.share_id;
        perform tell_webhooks(array['share.complete'], whole);
    end if;
    return null;
end $$;

create trigger item_ready_is_told after update of state on item
    for each row when (new.state = 'ready' and old.state <> 'ready') execute function tell_of_item();
