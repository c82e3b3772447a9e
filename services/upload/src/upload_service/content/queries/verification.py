"""SQL on the claim to verify a session: one function, one statement."""

from datetime import timedelta
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from common.db import Connection
from upload_service.content.model import UNVERIFIED, UploadSession
from upload_service.content.queries.sessions import SESSION_COLUMNS


async def claim_verification(
    connection: Connection, session_id: UUID, verifier: UUID, lease: timedelta
) -> UploadSession | None:
    """Make `verifier` the one who verifies, unless another one is at it or it is over."""
    async with connection.cursor(row_factory=class_row(UploadSession)) as cursor:
        await cursor.execute(
            f"""
            update upload_session set verifier = %(verifier)s, verifier_until = now() + %(lease)s
            where id = %(id)s and state = any(%(states)s) and (verifier_until is null or verifier_until < now())
            returning {SESSION_COLUMNS}
            """,
            {"id": session_id, "verifier": verifier, "lease": lease, "states": list(UNVERIFIED)},
        )
        return await cursor.fetchone()


async def extend_verification(connection: Connection, session_id: UUID, verifier: UUID, lease: timedelta) -> bool:
    """Renew the claim; False when another verifier has it."""
    cursor = await connection.execute(
        """
        update upload_session set verifier_until = now() + %(lease)s
        where id = %(id)s and verifier = %(verifier)s
        """,
        {"id": session_id, "verifier": verifier, "lease": lease},
    )
    return cursor.rowcount == 1


async def drop_verification(connection: Connection, session_id: UUID, verifier: UUID) -> None:
    """Give the claim up, so that the next attempt need not wait for its end."""
    await connection.execute(
        "update upload_session set verifier_until = null where id = %(id)s and verifier = %(verifier)s",
        {"id": session_id, "verifier": verifier},
    )


async def unverified_sessions(connection: Connection, age: timedelta, limit: int) -> list[UUID]:
    """Sessions that wait for a verification nobody is at, because its message was lost or its worker died."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            select id from upload_session
            where state in ('assembling', 'verifying') and changed_at < now() - %(age)s
                and (verifier_until is null or verifier_until < now())
            order by changed_at limit %(limit)s
            """,
            {"age": age, "limit": limit},
        )
        return await cursor.fetchall()
