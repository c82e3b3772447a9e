"""Statements about the shares that were posted in rooms as files."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from chat_service.rooms.model import PostedFile
from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one

_FILE: LiteralString = "room_id, share_id, message_id"


async def insert_file(
    connection: Connection, room_id: int, share_id: UUID, now: datetime, revoke_at: datetime | None
) -> bool:
    """Record that a share is being posted in a room; False when the room is closed. An existing row keeps its message.

    Closing the room waits for this statement, so it sees every file.
    """
    statement = """
        with open_room as (select id from room where id = %(room_id)s and closed_at is null for share)
        insert into room_file (room_id, share_id, revoke_at, due_at)
        select id, %(share_id)s, %(revoke_at)s, %(now)s from open_room
        on conflict (room_id, share_id) do update set revoke_at = excluded.revoke_at
    """
    parameters = {"room_id": room_id, "share_id": share_id, "now": now, "revoke_at": revoke_at}
    return await count(connection, statement, parameters) == 1


async def file_of(connection: Connection, room_id: int, share_id: UUID) -> PostedFile | None:
    """The record of a share in a room."""
    statement: LiteralString = f"select {_FILE} from room_file where room_id = %(room_id)s and share_id = %(share_id)s"
    return await fetch_one(connection, PostedFile, statement, {"room_id": room_id, "share_id": share_id})


async def mark_posted(connection: Connection, room_id: int, share_id: UUID, message_id: str) -> None:
    """Record the message that carries the share."""
    statement = """
        update room_file set message_id = %(message_id)s where room_id = %(room_id)s and share_id = %(share_id)s
    """
    await connection.execute(statement, {"room_id": room_id, "share_id": share_id, "message_id": message_id})


async def forget_unposted(connection: Connection, room_id: int, share_id: UUID) -> None:
    """Delete the record of a share whose message was not posted, unless an earlier message carries it."""
    statement = """
        delete from room_file where room_id = %(room_id)s and share_id = %(share_id)s and message_id is null
    """
    await connection.execute(statement, {"room_id": room_id, "share_id": share_id})


async def revoke_files_of(connection: Connection, room_id: int, now: datetime) -> None:
    """Make all shares that were posted in a room due to be revoked."""
    statement = """
        update room_file set revoke_at = least(revoke_at, %(now)s), due_at = %(now)s where room_id = %(room_id)s
    """
    await connection.execute(statement, {"room_id": room_id, "now": now})


async def claim_files(connection: Connection, now: datetime, again_at: datetime, limit: int) -> list[PostedFile]:
    """Claim up to `limit` shares to revoke now; other sweeps leave them alone until `again_at`."""
    statement: LiteralString = f"""
        update room_file set due_at = %(again_at)s
        where ctid = any(array(
            select ctid from room_file where revoke_at <= %(now)s and due_at <= %(now)s
            order by revoke_at limit %(limit)s for update skip locked
        ))
        returning {_FILE}
    """
    return await fetch_all(connection, PostedFile, statement, {"now": now, "again_at": again_at, "limit": limit})


async def delete_revoked(connection: Connection, share_ids: Sequence[UUID], now: datetime) -> None:
    """Delete the records of revoked shares, except of those that were posted again in the meantime."""
    statement = "delete from room_file where share_id = any(%(share_ids)s) and revoke_at <= %(now)s"
    await connection.execute(statement, {"share_ids": list(share_ids), "now": now})
