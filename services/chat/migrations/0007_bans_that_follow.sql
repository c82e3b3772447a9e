-- Bans of private rooms that hold somebody who comes back by a new account, if the owner chose so.

alter table room
    add bans_end_invitations boolean not null default false,
    add bans_hold_address_seconds integer check (bans_hold_address_seconds > 0);

comment on column room.bans_end_invitations is
    'Whether the invitation by which a banned member came ends with the ban';
comment on column room.bans_hold_address_seconds is
    'How long nobody may join from the address from which a banned member came; null: not at all';

alter table member
    add invitation_id uuid,
    add address_digest bytea check (length(address_digest) = 32);

comment on column member.invitation_id is 'The invitation that the member came by; it may be gone';
comment on column member.address_digest is
    'A keyed digest of the room and the address from which the member joined, for 30 days, if the room''s bans hold addresses';

create index member_address_index on member (joined_at) where address_digest is not null;

create table held_address (
    room_id        bigint not null references room (id) on delete cascade,
    address_digest bytea not null check (length(address_digest) = 32),
    account_id     uuid,
    expires_at     timestamptz not null,
    primary key (room_id, address_digest)
);

comment on table held_address is 'Addresses from which nobody may join a room for now';
comment on column held_address.account_id is 'The banned account, whose ban can be lifted; null: it was deleted';

create index held_address_account_index on held_address (account_id) where account_id is not null;
create index held_address_expires_at_index on held_address (expires_at);
