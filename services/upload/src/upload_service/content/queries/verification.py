"""SQL on the claim to verify a session: one function, one statement."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value, fetch_values
from upload_service.content.model import UNVERIFIED, UploadSession
from upload_service.content.queries.sessions import SESSION_COLUMNS

_UNVERIFIED: LiteralString = """state in ('assembling', 'verifying') and changed_at < now() - %(age)s
    and (verifier_until is null or verifier_until < now())"""


async def claim_verification(
    connection: Connection, session_id: UUID, verifier: UUID, lease: timedelta
) -> UploadSession | None:
    """Give the session to `verifier`; None when another one holds it, or it is verified."""
    statement: LiteralString = f"""
        update upload_session set verifier = %(verifier)s, verifier_until = now() + %(lease)s
        where id = %(id)s and state = any(%(states)s) and (verifier_until is null or verifier_until < now())
        returning {SESSION_COLUMNS}
    """
    values = {"id": session_id, "verifier": verifier, "lease": lease, "states": list(UNVERIFIED)}
    return await fetch_one(connection, UploadSession, statement, values)


async def extend_verification(connection: Connection, session_id: UUID, verifier: UUID, lease: timedelta) -> bool:
    """Renew the claim; False when another verifier has it."""
    statement = """
        update upload_session set verifier_until = now() + %(lease)s
        where id = %(id)s and verifier = %(verifier)s
    """
    return await count(connection, statement, {"id": session_id, "verifier": verifier, "lease": lease}) == 1


async def drop_verification(connection: Connection, session_id: UUID, verifier: UUID) -> None:
    """Give the claim up, so that the next attempt need not wait for its end."""
    await connection.execute(
        "update upload_session set verifier_until = null where id = %(id)s and verifier = %(verifier)s",
        {"id": session_id, "verifier": verifier},
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """A session that waits for its verification, and since when."""

    id: UUID
    changed_at: datetime


async def unverified_sessions(
    connection: Connection, age: timedelta, after: Waiting | None, limit: int
) -> list[Waiting]:
    """Sessions that have waited longer than `age` and that no verifier holds, the oldest first; only those `after`.

    Their message was lost, or their worker died.
    """
    further: LiteralString = "and (changed_at, id) > (%(after)s, %(id)s)" if after else ""
    statement: LiteralString = f"""
        select id, changed_at from upload_session where {_UNVERIFIED} {further}
        order by changed_at, id limit %(limit)s
    """
    values = {"age": age, "after": after and after.changed_at, "id": after and after.id, "limit": limit}
    return await fetch_all(connection, Waiting, statement, values)


async def unfinished_sessions(connection: Connection, limit: int) -> list[UUID]:
    """Sessions that are complete and not verified, whether or not a verifier holds them."""
    statement = """
        select id from upload_session where state in ('assembling', 'verifying') order by changed_at, id limit %(limit)s
    """
    return await fetch_values(connection, statement, {"limit": limit})


async def count_unverified(connection: Connection, age: timedelta) -> int:
    """The number of such sessions."""
    return await fetch_value(connection, f"select count(*) from upload_session where {_UNVERIFIED}", {"age": age}) or 0
