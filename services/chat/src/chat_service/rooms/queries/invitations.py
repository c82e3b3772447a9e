"""Statements about invitations."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from chat_service.rooms.model import Invitation
from common.db import Connection
from common.db.rows import count, fetch_all

_INVITATION: LiteralString = "id, room_id, created_by, created_at, expires_at, uses_left"


async def insert_invitation(connection: Connection, invitation: Invitation, digest: bytes) -> None:
    """Add an invitation."""
    statement = """
        insert into invitation (id, room_id, digest, created_by, created_at, expires_at, uses_left)
        values (%(id)s, %(room_id)s, %(digest)s, %(created_by)s, %(created_at)s, %(expires_at)s, %(uses_left)s)
    """
    parameters = {
        "id": invitation.id,
        "room_id": invitation.room_id,
        "digest": digest,
        "created_by": invitation.created_by,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "uses_left": invitation.uses_left,
    }
    await connection.execute(statement, parameters)


async def invitations_of_room(connection: Connection, room_id: int, now: datetime, limit: int) -> list[Invitation]:
    """The newest `limit` invitations that still open a room."""
    statement: LiteralString = f"""
        select {_INVITATION} from invitation
        where room_id = %(room_id)s and expires_at > %(now)s and uses_left is distinct from 0
        order by created_at desc, id limit %(limit)s
    """
    return await fetch_all(connection, Invitation, statement, {"room_id": room_id, "now": now, "limit": limit})


async def delete_invitation(connection: Connection, room_id: int, invitation_id: UUID) -> bool:
    """Delete an invitation; False when there is none."""
    statement = "delete from invitation where room_id = %(room_id)s and id = %(id)s"
    return await count(connection, statement, {"room_id": room_id, "id": invitation_id}) == 1


async def delete_invitations_by(connection: Connection, room_id: int, account_id: UUID) -> None:
    """Delete the invitations that an account made."""
    statement = "delete from invitation where room_id = %(room_id)s and created_by = %(account_id)s"
    await connection.execute(statement, {"room_id": room_id, "account_id": account_id})


async def delete_expired(connection: Connection, now: datetime, limit: int) -> int:
    """Delete up to `limit` expired invitations. Returns their number."""
    statement = """
        delete from invitation where id = any(array(
            select id from invitation where expires_at <= %(now)s limit %(limit)s for update skip locked
        ))
    """
    return await count(connection, statement, {"now": now, "limit": limit})
