-- Two bans from one address hold it by themselves: lifting one of them must leave what the other holds.
--
-- In place of held_address, which a later release drops: the code that runs during the migration still writes there.

create table address_hold (
    room_id        bigint not null references room (id) on delete cascade,
    address_digest bytea not null check (length(address_digest) = 32),
    account_id     uuid,
    expires_at     timestamptz not null,
    unique (room_id, address_digest, account_id)
);

comment on table address_hold is 'Addresses from which nobody may join a room for now, by ban';
comment on column address_hold.account_id is 'The banned account, whose ban can be lifted; null: it was deleted';

create index address_hold_account_index on address_hold (account_id) where account_id is not null;
create index address_hold_expires_at_index on address_hold (expires_at);

insert into address_hold select room_id, address_digest, account_id, expires_at from held_address;
delete from held_address;

-- Tables that sweeps empty as fast as they fill: a fiftieth is vacuumed in seconds, a fifth of a million rows is not.
alter table inbox_message set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table inbox_send set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
alter table room_file set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
