"""Statements about the members of rooms, and about bans."""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from chat_service.rooms.model import Member, MemberRole
from common.db import Connection
from common.db.rows import count, fetch_all

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


async def insert_member(connection: Connection, room_id: int, member: Member) -> bool:
    """Add a member; False when the account is already one."""
    statement = """
        insert into member (room_id, account_id, role, muted_until, joined_at)
        values (%(room_id)s, %(account_id)s, %(role)s, %(muted_until)s, %(joined_at)s) on conflict do nothing
    """
    return await count(connection, statement, {"room_id": room_id, **_values(member)}) == 1


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
    """Delete an account's memberships of closed rooms, its bans and its invitations."""
    statement = """
        with bans as (delete from ban where account_id = %(account_id)s),
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


async def is_banned(connection: Connection, room_id: int, account_id: UUID) -> bool:
    """Whether an account is banned from a room."""
    statement = "select 1 from ban where room_id = %(room_id)s and account_id = %(account_id)s"
    return await count(connection, statement, {"room_id": room_id, "account_id": account_id}) == 1


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
