-- Webhooks that fail for a day, or are told more than they hear; drop-offs that were filled; completeness of every kind.

alter table webhook
    add column failing_since timestamptz,
    add column dropped       bigint not null default 0 check (dropped >= 0);

comment on column webhook.failing_since is 'The first of its failures in a row; null: the last call was heard';
comment on column webhook.dropped is 'How many events it was never told of, because too many were waiting';

-- What a share of items, or the drop-off that it came by, is told when nothing of it is awaited any more. A share of which
-- nothing arrived is not complete.
create function tell_of_completeness(completed uuid) returns void language plpgsql as $$
declare
    whole share;
begin
    if not exists (select from webhook where is_enabled and events && array['share.complete', 'drop.filled']) then
        return;
    end if;
    -- Of the last two items that arrive at the same time, one waits here, and then sees the other.
    perform pg_advisory_xact_lock(hashtextextended('complete ' || completed, 0));
    if exists (select from item where share_id = completed and state = 'ready')
        and not exists (select from item where share_id = completed and state in ('waiting', 'verifying'))
    then
        select * into whole from share where id = completed and state in ('active', 'spent');
        if found then
            perform tell_webhooks(array_remove(
                array['share.complete', case when whole.drop_id is not null then 'drop.filled' end], null), whole);
        end if;
    end if;
end $$;

create or replace function tell_of_item() returns trigger language plpgsql as $$
begin
    -- Of the items that a transaction adds, the last one speaks for all.
    if tg_op = 'UPDATE' or not exists (select from item where share_id = new.share_id and position > new.position) then
        perform tell_of_completeness(new.share_id);
    end if;
    return null;
end $$;

drop trigger item_ready_is_told on item;

create trigger item_settled_is_told after update of state on item
    for each row when (old.state in ('waiting', 'verifying') and new.state in ('ready', 'failed', 'removed'))
    execute function tell_of_item();

-- At the end of the transaction: before that, the items are not all there.
create constraint trigger item_made_ready_is_told after insert on item deferrable initially deferred
    for each row when (new.state = 'ready') execute function tell_of_item();

create or replace function tell_webhooks(types text[], subject share) returns void language sql as $$
    insert into webhook_event (webhook_id, type, at, data)
    select webhook.id, told.type, clock_timestamp(), jsonb_build_object(
        'share_id', subject.id,
        'form', subject.form,
        'name', coalesce(subject.title, subject.name),
        'size', subject.size,
        'expires_at', subject.expires_at,
        'downloads', subject.used_count,
        'downloads_left', subject.uses_left,
        'ended_for', subject.ended_for,
        'drop_id', subject.drop_id
    )
    from unnest(types) with ordinality as told (type, number)
    join webhook on webhook.owner in (subject.owner, '00000000-0000-0000-0000-000000000000')
        and webhook.is_enabled and told.type = any(webhook.events)
    order by told.number
$$;
