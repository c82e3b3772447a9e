"""SQL on upload sessions: one function, one statement."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from common.db import Connection
from upload_service.content.model import SessionState, UploadSession

SESSION_COLUMNS = """id, state, layout, file_name, size, chunk_size, chunk_count, object_key, multipart_id, claims,
    passed_sha256, intent, owner, mirrors, file_id, created_at, expires_at"""


async def insert_session(connection: Connection, values: dict[str, Any]) -> UploadSession | None:
    """The new session, or None when an open one already has this resume key."""
    async with connection.cursor(row_factory=class_row(UploadSession)) as cursor:
        await cursor.execute(
            f"""
            insert into upload_session (id, layout, file_name, size, chunk_size, chunk_count, object_key, claims,
                resume_key, intent, owner, mirrors, expires_at)
            values (%(id)s, %(layout)s, %(file_name)s, %(size)s, %(chunk_size)s, %(chunk_count)s, %(object_key)s,
                %(claims)s, %(resume_key)s, %(intent)s, %(owner)s, %(mirrors)s::integer[], now() + %(lifetime)s)
            on conflict (resume_key) where state = 'open' do nothing
            returning {SESSION_COLUMNS}
            """,
            {**values, "intent": Jsonb(values["intent"])},
        )
        return await cursor.fetchone()


async def resume_session(connection: Connection, resume_key: bytes, lifetime: timedelta) -> UploadSession | None:
    """The open, living session with this resume key, with its life extended."""
    async with connection.cursor(row_factory=class_row(UploadSession)) as cursor:
        await cursor.execute(
            f"""
            update upload_session set expires_at = now() + %(lifetime)s
            where resume_key = %(resume_key)s and state = 'open' and expires_at > now()
            returning {SESSION_COLUMNS}
            """,
            {"resume_key": resume_key, "lifetime": lifetime},
        )
        return await cursor.fetchone()


async def expire_by_resume_key(connection: Connection, resume_key: bytes) -> None:
    """End the open session with this resume key if its time is over, so that a new one can begin."""
    await connection.execute(
        """
        update upload_session set state = 'expired', changed_at = now()
        where resume_key = %(resume_key)s and state = 'open' and expires_at <= now()
        """,
        {"resume_key": resume_key},
    )


async def get_session(connection: Connection, session_id: UUID, *, lock: bool = False) -> UploadSession | None:
    async with connection.cursor(row_factory=class_row(UploadSession)) as cursor:
        await cursor.execute(
            f"select {SESSION_COLUMNS} from upload_session where id = %(id)s {'for update' if lock else ''}",
            {"id": session_id},
        )
        return await cursor.fetchone()


async def set_multipart(connection: Connection, session_id: UUID, multipart_id: str) -> str | None:
    """Record the session's multipart upload unless another request did; returns the one that holds."""
    async with connection.cursor(row_factory=scalar_row) as cursor:
        await cursor.execute(
            """
            update upload_session set multipart_id = coalesce(multipart_id, %(multipart_id)s)
            where id = %(id)s and state = 'open'
            returning multipart_id
            """,
            {"id": session_id, "multipart_id": multipart_id},
        )
        return await cursor.fetchone()


async def replace_multipart(connection: Connection, session_id: UUID, multipart_id: str | None) -> None:
    """Record the multipart upload that took the place of an earlier one."""
    await connection.execute(
        "update upload_session set multipart_id = %(multipart_id)s where id = %(id)s",
        {"id": session_id, "multipart_id": multipart_id},
    )


async def move_session(
    connection: Connection, session_id: UUID, expected: Sequence[SessionState], state: SessionState
) -> bool:
    """Change the state if it is one of `expected`; False when it is not."""
    cursor = await connection.execute(
        """
        update upload_session set state = %(state)s, changed_at = now()
        where id = %(id)s and state = any(%(expected)s)
        """,
        {"id": session_id, "state": state, "expected": list(expected)},
    )
    return cursor.rowcount == 1


async def reopen_session(connection: Connection, session_id: UUID, verifier: UUID, lifetime: timedelta) -> bool:
    """Open a session again whose chunks are lost, without its file and its multipart upload.

    It cannot be resumed by its key any more when another one with this key was begun since.
    """
    cursor = await connection.execute(
        """
        update upload_session set state = 'open', changed_at = now(), expires_at = now() + %(lifetime)s,
            verifier_until = null, multipart_id = null, file_id = null, passed_sha256 = null,
            resume_key = (
                select upload_session.resume_key where not exists (
                    select from upload_session as other
                    where other.resume_key = upload_session.resume_key and other.state = 'open'))
        where id = %(id)s and state in ('assembling', 'verifying') and verifier = %(verifier)s
        """,
        {"id": session_id, "verifier": verifier, "lifetime": lifetime},
    )
    return cursor.rowcount == 1


async def attach_file(connection: Connection, session_id: UUID, file_id: UUID, size: int) -> None:
    """Name the file that a session becomes, and the size it really has."""
    await connection.execute(
        "update upload_session set file_id = %(file_id)s, size = %(size)s where id = %(id)s",
        {"id": session_id, "file_id": file_id, "size": size},
    )


async def set_object(connection: Connection, session_id: UUID, object_key: str) -> None:
    """Say that the session's content is in this object of its own."""
    await connection.execute(
        "update upload_session set object_key = %(object_key)s where id = %(id)s",
        {"id": session_id, "object_key": object_key},
    )


async def set_passed_digest(connection: Connection, session_id: UUID, sha256: bytes) -> None:
    """Remember the digest that was computed while the chunks passed."""
    await connection.execute(
        "update upload_session set passed_sha256 = %(sha256)s where id = %(id)s", {"id": session_id, "sha256": sha256}
    )


async def abort_sessions_of(connection: Connection, owner: UUID) -> None:
    """Give up the open sessions of an account."""
    await connection.execute(
        "update upload_session set state = 'aborted', changed_at = now() where owner = %(owner)s and state = 'open'",
        {"owner": owner},
    )


async def expire_sessions(connection: Connection, limit: int) -> int:
    """End open sessions whose time is over; how many."""
    cursor = await connection.execute(
        """
        update upload_session set state = 'expired', changed_at = now()
        where id in (
            select id from upload_session where state = 'open' and expires_at <= now()
            order by expires_at limit %(limit)s for update skip locked)
        """,
        {"limit": limit},
    )
    return cursor.rowcount


async def uncleaned_sessions(connection: Connection, limit: int) -> list[UploadSession]:
    """Ended sessions that may still name something in the store, no writer being at work any more."""
    async with connection.cursor(row_factory=class_row(UploadSession)) as cursor:
        await cursor.execute(
            f"""
            select {SESSION_COLUMNS} from upload_session
            where cleaned_at is null and state in ('ready', 'corrupt', 'aborted', 'expired')
                and not exists (
                    select from part where session_id = upload_session.id and stored_at is null and lease_until > now())
            order by changed_at limit %(limit)s
            """,
            {"limit": limit},
        )
        return await cursor.fetchall()


async def is_open(connection: Connection, session_id: UUID) -> bool:
    """Whether the session takes bytes."""
    cursor = await connection.execute(
        "select 1 from upload_session where id = %(id)s and state = 'open'", {"id": session_id}
    )
    return await cursor.fetchone() is not None


async def is_quiet(connection: Connection, session_id: UUID) -> bool:
    """Whether no writer is at work on the session."""
    cursor = await connection.execute(
        "select 1 from part where session_id = %(id)s and stored_at is null and lease_until > now()",
        {"id": session_id},
    )
    return await cursor.fetchone() is None


async def set_cleaned(connection: Connection, session_id: UUID) -> None:
    await connection.execute("update upload_session set cleaned_at = now() where id = %(id)s", {"id": session_id})


async def forget_sessions(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete sessions that were cleaned long enough ago that nobody asks for them; how many."""
    cursor = await connection.execute(
        """
        delete from upload_session
        where id in (
            select id from upload_session where cleaned_at < now() - %(age)s order by cleaned_at limit %(limit)s
            for update skip locked)
        """,
        {"age": age, "limit": limit},
    )
    return cursor.rowcount
