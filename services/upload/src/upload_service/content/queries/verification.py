"""SQL on the claim to verify a session: one function, one statement."""

from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_one, fetch_values
from upload_service.content.model import UNVERIFIED, UploadSession
from upload_service.content.queries.sessions import SESSION_COLUMNS


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


async def unverified_sessions(connection: Connection, age: timedelta, limit: int) -> list[UUID]:
    """Sessions that have waited longer than `age` and that no verifier holds.

    Their message was lost, or their worker died.
    """
    statement = """
        select id from upload_session
        where state in ('assembling', 'verifying') and changed_at < now() - %(age)s
            and (verifier_until is null or verifier_until < now())
        order by changed_at limit %(limit)s
    """
    return await fetch_values(connection, statement, {"age": age, "limit": limit})
