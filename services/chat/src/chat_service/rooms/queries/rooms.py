"""Statements about rooms."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg.errors import UniqueViolation

from chat_service.rooms.model import ListedRoom, Room
from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one

# Any constant serves, as long as all processes use the same one.
PUBLIC_ROOMS_LOCK = 0x57415943

ROOM: LiteralString = (
    "id, name, is_private, password_hash, owner, lifetime_seconds, capacity, revoke_files, file_lifetime_seconds,"
    " bans_end_invitations, bans_hold_address_seconds, version, created_at"
)
OPEN: LiteralString = "closed_at is null"
# Rooms that were cleaned by the moment `before` and have no file left to revoke.
FORGOTTEN: LiteralString = """cleaned_at <= %(before)s and not exists (
    select from room_file where room_id = room.id and revoke_at is not null)"""


async def insert_room(connection: Connection, **values: Any) -> Room | None:
    """Add a room; None when its name is taken. Of two at once, the second waits for the first one's commit."""
    statement: LiteralString = f"""
        insert into room (name, name_key, name_skeleton, is_private, password_hash, owner, lifetime_seconds, capacity,
                          revoke_files, file_lifetime_seconds, bans_end_invitations, bans_hold_address_seconds,
                          created_at)
        values (%(name)s, %(name_key)s, %(name_skeleton)s, %(is_private)s, %(password_hash)s, %(owner)s,
                %(lifetime_seconds)s, %(capacity)s, %(revoke_files)s, %(file_lifetime_seconds)s,
                %(bans_end_invitations)s, %(bans_hold_address_seconds)s, %(created_at)s)
        on conflict do nothing
        returning {ROOM}
    """
    return await fetch_one(connection, Room, statement, values)


async def room_of_name(connection: Connection, name_key: str) -> Room | None:
    """The open room with this name."""
    statement: LiteralString = f"select {ROOM} from room where name_key = %(name_key)s and {OPEN}"
    return await fetch_one(connection, Room, statement, {"name_key": name_key})


async def is_name_taken(connection: Connection, name_key: str, name_skeleton: str) -> bool:
    """Whether an open room has this name, or one that looks like it."""
    statement: LiteralString = f"""
        select from room where name_key = %(name_key)s and {OPEN}
        union all
        select from room where name_skeleton = %(name_skeleton)s and name_skeleton <> '' and {OPEN}
    """
    return await count(connection, statement, {"name_key": name_key, "name_skeleton": name_skeleton}) > 0


async def keep_room(connection: Connection, room_id: int) -> Room | None:
    """The open room with this id. Neither it nor its members can change until the transaction ends."""
    statement: LiteralString = f"select {ROOM} from room where id = %(room_id)s and {OPEN} for share"
    return await fetch_one(connection, Room, statement, {"room_id": room_id})


async def lock_room(connection: Connection, room_id: int) -> Room | None:
    """The open room with this id, locked for a change: others can neither read its state nor change it meanwhile.

    Rows that refer to it may still be added.
    """
    statement: LiteralString = f"select {ROOM} from room where id = %(room_id)s and {OPEN} for no key update"
    return await fetch_one(connection, Room, statement, {"room_id": room_id})


async def update_room(connection: Connection, room: Room, name_key: str, name_skeleton: str | None) -> bool:
    """Store the fields of a room that may change; False when its name is taken, which fails the transaction.

    `name_skeleton` None: it stays as it is.
    """
    statement = """
        update room set name = %(name)s, name_key = %(name_key)s,
            name_skeleton = coalesce(%(name_skeleton)s, name_skeleton), password_hash = %(password_hash)s,
            owner = %(owner)s, lifetime_seconds = %(lifetime_seconds)s, capacity = %(capacity)s,
            revoke_files = %(revoke_files)s, file_lifetime_seconds = %(file_lifetime_seconds)s,
            bans_end_invitations = %(bans_end_invitations)s,
            bans_hold_address_seconds = %(bans_hold_address_seconds)s, version = %(version)s
        where id = %(id)s
    """
    parameters = {
        "id": room.id,
        "name": room.name,
        "name_key": name_key,
        "name_skeleton": name_skeleton,
        "password_hash": room.password_hash,
        "owner": room.owner,
        "lifetime_seconds": room.lifetime_seconds,
        "capacity": room.capacity,
        "revoke_files": room.revoke_files,
        "file_lifetime_seconds": room.file_lifetime_seconds,
        "bans_end_invitations": room.bans_end_invitations,
        "bans_hold_address_seconds": room.bans_hold_address_seconds,
        "version": room.version,
    }
    try:
        await connection.execute(statement, parameters)
    except UniqueViolation:
        return False
    return True


async def rooms_without_skeleton(connection: Connection, limit: int) -> list[tuple[int, str]]:
    """The ids and names of up to `limit` open rooms whose skeletons are not computed, the oldest first, locked."""
    statement: LiteralString = f"""
        select id, name from room where {OPEN} and name_skeleton is null order by id limit %(limit)s
        for update skip locked
    """
    return await fetch_all(connection, _named, statement, {"limit": limit})


async def set_skeleton(connection: Connection, room_id: int, name_skeleton: str) -> None:
    """Record the skeleton of a room's name, or that another open room has it."""
    statement: LiteralString = f"""
        update room set name_skeleton = case
            when exists (
                select from room where name_skeleton = %(name_skeleton)s and name_skeleton <> '' and {OPEN}
            ) then ''
            else %(name_skeleton)s end
        where id = %(room_id)s
    """
    await connection.execute(statement, {"room_id": room_id, "name_skeleton": name_skeleton})


async def close_room(connection: Connection, room_id: int, now: datetime) -> None:
    """Close a room, which cannot be found from then on."""
    statement = "update room set closed_at = %(now)s, clean_due_at = %(now)s where id = %(room_id)s"
    await connection.execute(statement, {"room_id": room_id, "now": now})


async def lock_public_rooms(connection: Connection) -> None:
    """Keep others from opening public rooms until the transaction ends."""
    await connection.execute("select pg_advisory_xact_lock(%(lock)s)", {"lock": PUBLIC_ROOMS_LOCK})


async def lock_rooms_of(connection: Connection, owner: UUID) -> None:
    """Keep an account from opening further rooms until the transaction ends."""
    statement = "select pg_advisory_xact_lock(hashtextextended(%(owner)s::text, %(lock)s))"
    await connection.execute(statement, {"owner": owner, "lock": PUBLIC_ROOMS_LOCK})


async def count_rooms_of(connection: Connection, owner: UUID, limit: int, *, only_public: bool = False) -> int:
    """The number of open rooms that an account owns, counted up to `limit`."""
    further: LiteralString = "and not is_private" if only_public else ""
    statement: LiteralString = f"select 1 from room where owner = %(owner)s and {OPEN} {further} limit %(limit)s"
    return await count(connection, statement, {"owner": owner, "limit": limit})


async def count_public_rooms(connection: Connection, limit: int) -> int:
    """The number of open public rooms, counted up to `limit`."""
    statement: LiteralString = f"select 1 from room where {OPEN} and not is_private limit %(limit)s"
    return await count(connection, statement, {"limit": limit})


async def public_rooms(connection: Connection, account_id: UUID, after: int, limit: int) -> list[ListedRoom]:
    """Up to `limit` open public rooms that are newer than the room `after`, the oldest first."""
    statement: LiteralString = f"""
        select id, name, is_private, owner, room.created_at, exists (
            select from member where room_id = room.id and account_id = %(account_id)s
        ) as joined
        from room where id > %(after)s and {OPEN} and not is_private order by id limit %(limit)s
    """
    return await fetch_all(
        connection, ListedRoom, statement, {"account_id": account_id, "after": after, "limit": limit}
    )


async def rooms_of_account(connection: Connection, account_id: UUID, after: int, limit: int) -> list[ListedRoom]:
    """Up to `limit` open rooms of a member that are newer than the room `after`, the oldest first."""
    statement: LiteralString = f"""
        select id, name, is_private, owner, room.created_at, true as joined
        from member join room on room.id = room_id
        where account_id = %(account_id)s and room_id > %(after)s and {OPEN} order by room_id limit %(limit)s
    """
    return await fetch_all(
        connection, ListedRoom, statement, {"account_id": account_id, "after": after, "limit": limit}
    )


async def lifetimes_for_member(
    connection: Connection, account_id: UUID, room_ids: Sequence[int]
) -> list[tuple[int, timedelta]]:
    """Those of these rooms that are open and that the account is a member of, with the lifetime of their messages."""
    statement: LiteralString = f"""
        select id, lifetime_seconds from member join room on room.id = room_id
        where account_id = %(account_id)s and room_id = any(%(room_ids)s) and {OPEN} order by id
    """
    return await fetch_all(connection, _lifetime, statement, {"account_id": account_id, "room_ids": list(room_ids)})


async def claim_closed(connection: Connection, now: datetime, again_at: datetime, limit: int) -> list[int]:
    """Claim up to `limit` closed rooms to clean now; other sweeps leave them alone until `again_at`."""
    statement = """
        update room set clean_due_at = %(again_at)s
        where id = any(array(
            select id from room where closed_at is not null and cleaned_at is null and clean_due_at <= %(now)s
            order by clean_due_at limit %(limit)s for update skip locked
        ))
        returning id as room_id
    """
    return await fetch_all(connection, _room_id, statement, {"now": now, "again_at": again_at, "limit": limit})


async def mark_cleaned(connection: Connection, room_ids: Sequence[int], now: datetime) -> None:
    """Record that the messages of these rooms are deleted."""
    statement = "update room set cleaned_at = coalesce(cleaned_at, %(now)s) where id = any(%(room_ids)s)"
    await connection.execute(statement, {"room_ids": list(room_ids), "now": now})


async def delete_cleaned(connection: Connection, cleaned_before: datetime, limit: int) -> int:
    """Delete up to `limit` rooms that were cleaned by then and have no file left to revoke. Returns their number."""
    statement: LiteralString = f"""
        delete from room where id = any(array(
            select id from room where {FORGOTTEN}
            order by cleaned_at limit %(limit)s for update skip locked
        ))
    """
    return await count(connection, statement, {"before": cleaned_before, "limit": limit})


def _named(id: int, name: str) -> tuple[int, str]:  # noqa: A002  (a column)
    return id, name


def _lifetime(id: int, lifetime_seconds: int) -> tuple[int, timedelta]:  # noqa: A002  (a column)
    return id, timedelta(seconds=lifetime_seconds)


def _room_id(room_id: int) -> int:
    return room_id
