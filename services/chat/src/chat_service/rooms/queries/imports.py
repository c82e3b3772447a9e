"""Statements about rooms and members that were taken over from another system."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_value


async def insert_imported(connection: Connection, origin: bytes, now: datetime) -> bool:
    """Record that a room is imported; False if it was before. Of two at once, the second waits for the first."""
    statement = "insert into imported (origin, imported_at) values (%(origin)s, %(now)s) on conflict do nothing"
    return await count(connection, statement, {"origin": origin, "now": now}) == 1


async def set_imported_room(connection: Connection, origin: bytes, room_id: int) -> None:
    """Record the room that one of another system became."""
    statement = "update imported set room_id = %(room_id)s where origin = %(origin)s"
    await connection.execute(statement, {"origin": origin, "room_id": room_id})


async def imported_room(connection: Connection, origin: bytes) -> int | None:
    """The id of the room that one of another system became. The room may be closed since."""
    statement = "select room_id from imported where origin = %(origin)s"
    return await fetch_value(connection, statement, {"origin": origin})


async def insert_all_imported(connection: Connection, origins: Sequence[bytes], now: datetime) -> set[bytes]:
    """Record that members are imported. Returns the origins of those that were not before."""
    statement = """
        insert into imported (origin, imported_at) select unnest(%(origins)s::bytea[]), %(now)s
        on conflict do nothing returning origin
    """
    return set(await fetch_all(connection, _origin, statement, {"origins": list(origins), "now": now}))


async def known_imports(connection: Connection, origins: Sequence[bytes]) -> set[bytes]:
    """Those of these origins that were imported before."""
    statement = "select origin from imported where origin = any(%(origins)s)"
    return set(await fetch_all(connection, _origin, statement, {"origins": list(origins)}))


async def insert_members(
    connection: Connection, room_id: int, account_ids: Sequence[UUID], joined_at: Sequence[datetime]
) -> None:
    """Add ordinary members to a room that was just made."""
    statement = """
        insert into member (room_id, account_id, role, joined_at)
        select %(room_id)s, account_id, 'member', joined_at
        from unnest(%(account_ids)s::uuid[], %(joined_at)s::timestamptz[]) as given (account_id, joined_at)
    """
    parameters = {"room_id": room_id, "account_ids": list(account_ids), "joined_at": list(joined_at)}
    await connection.execute(statement, parameters)


def _origin(origin: bytes) -> bytes:
    return origin
