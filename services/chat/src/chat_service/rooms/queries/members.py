"""Statements about the members of rooms, and about bans."""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from chat_service.rooms.model import Admission, Member, MemberRole, Way
from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value

_MEMBER: LiteralString = "account_id, role, muted_until, joined_at"


def _room_id(room_id: int) -> int:
    return room_id


def _account_id(account_id: UUID) -> UUID:
    return account_id


def _member(role: str, **row: Any) -> Member:
    return Member(role=MemberRole(role), **row)


async def members_of(connection: Connection, room_id: int) -> list[Member]:
    """All members of a room, the oldest first."""
    statement: LiteralString = (
        f"select {_MEMBER} from member where room_id = %(room_id)s order by joined_at, account_id"
    )
    return await fetch_all(connection, _member, statement, {"room_id": room_id})


async def insert_owner(connection: Connection, room_id: int, owner: Member) -> None:
    """Add the owner of a room that was just made."""
    statement = """
        insert into member (room_id, account_id, role, muted_until, joined_at)
        values (%(room_id)s, %(account_id)s, %(role)s, %(muted_until)s, %(joined_at)s)
    """
    await connection.execute(statement, {"room_id": room_id, **_values(owner)})


async def let_in(
    connection: Connection,
    room_id: int,
    member: Member,
    address_digest: bytes,
    *,
    invitation: bytes | None,
    is_address_kept: bool,
) -> Admission:
    """Add a member, unless its account is banned, or nobody may join from its address.

    `invitation`: the digest of one, of which a use is taken; only one taker gets the last. None: the member needs none.
    The room's row has to be locked.
    """
    statement = """
        with barred as (
            select from ban where room_id = %(room_id)s and account_id = %(account_id)s
            union all
            select from address_hold
            where room_id = %(room_id)s and address_digest = %(address_digest)s and expires_at > %(joined_at)s
        ), used as (
            update invitation set uses_left = uses_left - 1
            where digest = %(invitation)s and room_id = %(room_id)s and expires_at > %(joined_at)s
                and uses_left is distinct from 0 and not exists (select from barred)
            returning id
        ), added as (
            insert into member (room_id, account_id, role, muted_until, joined_at, invitation_id, address_digest)
            select %(room_id)s, %(account_id)s, %(role)s, %(muted_until)s::timestamptz, %(joined_at)s,
                   (select id from used), %(kept_digest)s::bytea
            where not exists (select from barred) and (%(invitation)s::bytea is null or exists (select from used))
            returning 1
        )
        select exists (select from barred) as is_banned, exists (select from added) as is_added
    """
    parameters = {
        "room_id": room_id,
        **_values(member),
        "invitation": invitation,
        "address_digest": address_digest,
        "kept_digest": address_digest if is_address_kept else None,
    }
    found = await fetch_one(connection, Admission, statement, parameters)
    assert found, "the statement always returns a row"
    return found


async def way_of(connection: Connection, room_id: int, account_id: UUID) -> Way | None:
    """The way by which a member came."""
    statement = """
        select invitation_id, address_digest from member
        where room_id = %(room_id)s and account_id = %(account_id)s
    """
    return await fetch_one(connection, Way, statement, {"room_id": room_id, "account_id": account_id})


async def update_member(connection: Connection, room_id: int, member: Member) -> None:
    """Store a member's role and mute."""
    statement = """
        update member set role = %(role)s, muted_until = %(muted_until)s
        where room_id = %(room_id)s and account_id = %(account_id)s
    """
    await connection.execute(statement, {"room_id": room_id, **_values(member)})


async def delete_member(connection: Connection, room_id: int, account_id: UUID) -> None:
    """Remove a member from a room."""
    statement = "delete from member where room_id = %(room_id)s and account_id = %(account_id)s"
    await connection.execute(statement, {"room_id": room_id, "account_id": account_id})


async def rooms_to_leave(connection: Connection, account_id: UUID, limit: int) -> list[int]:
    """Up to `limit` open rooms that an account is a member of."""
    statement = """
        select room_id from member join room on room.id = room_id
        where account_id = %(account_id)s and closed_at is null order by room_id limit %(limit)s
    """
    return await fetch_all(connection, _room_id, statement, {"account_id": account_id, "limit": limit})


async def forget_account(connection: Connection, account_id: UUID) -> None:
    """Delete an account's memberships of closed rooms, its bans and its invitations.

    Addresses that its bans hold are held to their end, without telling whose they were.
    """
    statement = """
        with bans as (delete from ban where account_id = %(account_id)s),
             held as (update address_hold set account_id = null where account_id = %(account_id)s),
             invitations as (delete from invitation where created_by = %(account_id)s)
        delete from member using room
        where room.id = room_id and account_id = %(account_id)s and closed_at is not null
    """
    await connection.execute(statement, {"account_id": account_id})


async def insert_ban(connection: Connection, room_id: int, account_id: UUID, now: datetime) -> None:
    """Ban an account from a room."""
    statement = """
        insert into ban (room_id, account_id, created_at) values (%(room_id)s, %(account_id)s, %(now)s)
        on conflict do nothing
    """
    await connection.execute(statement, {"room_id": room_id, "account_id": account_id, "now": now})


async def delete_ban(connection: Connection, room_id: int, account_id: UUID) -> bool:
    """Lift a ban; False when there was none."""
    statement = "delete from ban where room_id = %(room_id)s and account_id = %(account_id)s"
    return await count(connection, statement, {"room_id": room_id, "account_id": account_id}) == 1


async def hold_address(
    connection: Connection, room_id: int, account_id: UUID, address_digest: bytes, expires_at: datetime
) -> None:
    """Let nobody join a room from an address until then. Each ban of an account holds it by itself."""
    statement = """
        insert into address_hold (room_id, address_digest, account_id, expires_at)
        values (%(room_id)s, %(address_digest)s, %(account_id)s, %(expires_at)s)
        on conflict (room_id, address_digest, account_id) do update
            set expires_at = greatest(address_hold.expires_at, excluded.expires_at)
    """
    parameters = {"room_id": room_id, "account_id": account_id, "address_digest": address_digest}
    await connection.execute(statement, {**parameters, "expires_at": expires_at})


async def release_addresses(connection: Connection, room_id: int, account_id: UUID | None = None) -> None:
    """Let people join a room again from the addresses that are held for this account, or from all."""
    statement = """
        delete from address_hold
        where room_id = %(room_id)s and (%(account_id)s::uuid is null or account_id = %(account_id)s)
    """
    await connection.execute(statement, {"room_id": room_id, "account_id": account_id})


async def forget_addresses_of(connection: Connection, room_id: int) -> None:
    """Forget the addresses of the members of a room."""
    statement = "update member set address_digest = null where room_id = %(room_id)s and address_digest is not null"
    await connection.execute(statement, {"room_id": room_id})


async def forget_addresses(connection: Connection, now: datetime, joined_before: datetime, limit: int) -> int:
    """Forget up to `limit` addresses whose time is over, and as many of members who joined before then."""
    statement = """
        with held as (
            delete from address_hold where ctid = any(array(
                select ctid from address_hold where expires_at <= %(now)s limit %(limit)s for update skip locked
            )) returning 1
        ), remembered as (
            update member set address_digest = null where ctid = any(array(
                select ctid from member where address_digest is not null and joined_at <= %(before)s
                order by joined_at limit %(limit)s for update skip locked
            )) returning 1
        )
        select (select count(*) from held) + (select count(*) from remembered)
    """
    return await fetch_value(connection, statement, {"now": now, "before": joined_before, "limit": limit}) or 0


async def banned_accounts(connection: Connection, room_id: int, limit: int) -> list[UUID]:
    """The `limit` latest banned accounts, the latest first."""
    statement = """
        select account_id from ban where room_id = %(room_id)s order by created_at desc, account_id limit %(limit)s
    """
    return await fetch_all(connection, _account_id, statement, {"room_id": room_id, "limit": limit})


def _values(member: Member) -> dict[str, object]:
    return {
        "account_id": member.account_id,
        "role": member.role.value,
        "muted_until": member.muted_until,
        "joined_at": member.joined_at,
    }
