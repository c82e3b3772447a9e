"""SQL on upload sessions: one function, one statement."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value, fetch_values
from upload_service.content.model import LivingUpload, Quota, SessionState, UploadSession
from upload_service.content.queries.usage import LIMITS, limit_values, refusals

SESSION_COLUMNS: LiteralString = """id, state, layout, file_name, size, chunk_size as part_size,
    chunk_count as part_count, object_key, multipart_id, claims, passed_sha256 as running_sha256, intent, owner,
    mirrors, file_id, joined_into, reserved, created_at, expires_at,
    state = 'open' and expires_at <= now() as is_overdue"""
# Whether a writer is at work on the session. The offset has each session's parts looked up, instead of all parts read.
BEING_WRITTEN: LiteralString = """exists (
    select from part where session_id = upload_session.id and stored_at is null and lease_until > now() offset 0)"""
_UNCLEANED: LiteralString = f"""cleaned_at is null and state in ('ready', 'corrupt', 'aborted', 'expired')
    and not {BEING_WRITTEN}"""


async def insert_session(connection: Connection, values: dict[str, Any], limits: Quota) -> UploadSession | None:
    """Insert a session, and reserve room for it, if any; None when an open one already has this resume key.

    If a writer is named, its first part is reserved too. Raises `QuotaExceeded`.
    """
    inserting: LiteralString = f"""
        insert into upload_session (id, layout, file_name, size, chunk_size, chunk_count, object_key, claims,
            resume_key, intent, owner, mirrors, reserved, expires_at)
        values (%(id)s, %(layout)s, %(file_name)s, %(size)s, %(part_size)s, %(part_count)s, %(object_key)s,
            %(claims)s, %(resume_key)s, %(intent)s, %(owner)s, %(mirrors)s::integer[], %(reserved)s,
            now() + %(lifetime)s)
        on conflict (resume_key) where state = 'open' do nothing
        returning {SESSION_COLUMNS}
    """
    held: LiteralString = """, held as (
        insert into part (session_id, index, writer, lease_until)
        select id, 0, %(writer)s, now() + %(lease)s from inserted)"""
    usage: LiteralString = f", lateral take_usage(inserted.owner, inserted.reserved, 1, {LIMITS})"
    statement: LiteralString = f"""
        with inserted as ({inserting}){held if values["writer"] else ""}
        select inserted.* from inserted{"" if values["reserved"] is None else usage}
    """
    filled = {**values, "intent": Jsonb(values["intent"]), **limit_values(limits)}
    with refusals():
        return await fetch_one(connection, UploadSession, statement, filled)


async def lock_pieces_of(connection: Connection, item_id: UUID) -> None:
    """Lock out other transactions that begin a piece of this item, so that counting and beginning is a single step."""
    statement = "select pg_advisory_xact_lock(hashtextextended(%(item)s, 0))"
    await connection.execute(statement, {"item": f"pieces of {item_id.hex}"})


async def size_of_pieces(connection: Connection, item_id: UUID) -> int:
    """The sizes of all open pieces of an item."""
    statement = """
        select sum(size)::bigint from upload_session
        where state = 'open' and intent ? 'piece_of' and intent ->> 'piece_of' = %(item)s and expires_at > now()
    """
    return await fetch_value(connection, statement, {"item": item_id.hex}) or 0


async def extend_by_resume_key(connection: Connection, resume_key: bytes, lifetime: timedelta) -> UploadSession | None:
    """The open session with this resume key, which lasts at least so long from now; None when its time is over."""
    statement: LiteralString = f"""
        update upload_session set expires_at = greatest(expires_at, now() + %(lifetime)s)
        where resume_key = %(resume_key)s and state = 'open' and expires_at > now()
        returning {SESSION_COLUMNS}
    """
    return await fetch_one(connection, UploadSession, statement, {"resume_key": resume_key, "lifetime": lifetime})


async def expire_by_resume_key(connection: Connection, resume_key: bytes) -> None:
    """End the open session with this resume key if its time is over, so that a new one can begin."""
    await connection.execute(
        """
        update upload_session set state = 'expired', changed_at = now()
        where resume_key = %(resume_key)s and state = 'open' and expires_at <= now()
        """,
        {"resume_key": resume_key},
    )


async def get_session(connection: Connection, session_id: UUID) -> UploadSession | None:
    statement: LiteralString = f"select {SESSION_COLUMNS} from upload_session where id = %(id)s"
    return await fetch_one(connection, UploadSession, statement, {"id": session_id})


async def sessions_of_ids(connection: Connection, session_ids: Sequence[UUID]) -> list[UploadSession]:
    """Those of the sessions that exist."""
    statement: LiteralString = f"select {SESSION_COLUMNS} from upload_session where id = any(%(ids)s)"
    return await fetch_all(connection, UploadSession, statement, {"ids": list(session_ids)})


async def lock_session(connection: Connection, session_id: UUID) -> UploadSession | None:
    """The session, locked until the end of the transaction."""
    statement: LiteralString = f"select {SESSION_COLUMNS} from upload_session where id = %(id)s for update"
    return await fetch_one(connection, UploadSession, statement, {"id": session_id})


async def set_multipart(connection: Connection, session_id: UUID, multipart_id: str) -> str | None:
    """Record the session's multipart upload unless another request did; returns the one that holds.

    None: the session is not open.
    """
    statement = """
        update upload_session set multipart_id = coalesce(multipart_id, %(multipart_id)s)
        where id = %(id)s and state = 'open'
        returning multipart_id
    """
    return await fetch_value(connection, statement, {"id": session_id, "multipart_id": multipart_id})


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
    statement = """
        update upload_session set state = %(state)s, changed_at = now()
        where id = %(id)s and state = any(%(expected)s)
    """
    values = {"id": session_id, "state": state, "expected": list(expected)}
    return await count(connection, statement, values) == 1


async def reopen_session(connection: Connection, session_id: UUID, verifier: UUID, lifetime: timedelta) -> bool:
    """Open a session again whose parts are lost, without its file and its multipart upload.

    It keeps its resume key unless another session with this key was begun since.
    """
    statement = """
        update upload_session set state = 'open', changed_at = now(), expires_at = now() + %(lifetime)s,
            verifier_until = null, multipart_id = null, file_id = null, passed_sha256 = null,
            resume_key = (
                select upload_session.resume_key where not exists (
                    select from upload_session as other
                    where other.resume_key = upload_session.resume_key and other.state = 'open'))
        where id = %(id)s and state in ('assembling', 'verifying') and verifier = %(verifier)s
    """
    return await count(connection, statement, {"id": session_id, "verifier": verifier, "lifetime": lifetime}) == 1


async def attach_file(connection: Connection, session_id: UUID, file_id: UUID, size: int) -> None:
    """Name the file that a session becomes, and the size that it turned out to have."""
    await connection.execute(
        "update upload_session set file_id = %(file_id)s, size = %(size)s where id = %(id)s",
        {"id": session_id, "file_id": file_id, "size": size},
    )


async def end_ready(
    connection: Connection, session_id: UUID, file_id: UUID, size: int, *, is_clean: bool
) -> UploadSession:
    """End a session that became this file. `is_clean`: nothing in the store belongs to it alone."""
    statement: LiteralString = f"""
        update upload_session set state = 'ready', changed_at = now(), file_id = %(file_id)s, size = %(size)s,
            cleaned_at = case when %(is_clean)s then now() end
        where id = %(id)s
        returning {SESSION_COLUMNS}
    """
    values = {"id": session_id, "file_id": file_id, "size": size, "is_clean": is_clean}
    ended = await fetch_one(connection, UploadSession, statement, values)
    assert ended is not None, "its row is locked"
    return ended


async def set_size(connection: Connection, session_id: UUID, size: int) -> None:
    """Say how long the content will be."""
    await connection.execute(
        "update upload_session set size = %(size)s where id = %(id)s", {"id": session_id, "size": size}
    )


async def set_object(connection: Connection, session_id: UUID, object_key: str) -> None:
    """Say which object holds the session's content."""
    await connection.execute(
        "update upload_session set object_key = %(object_key)s where id = %(id)s",
        {"id": session_id, "object_key": object_key},
    )


async def set_running_digest(connection: Connection, session_id: UUID, sha256: bytes) -> None:
    """Remember the digest that was computed while the parts arrived."""
    await connection.execute(
        "update upload_session set passed_sha256 = %(sha256)s where id = %(id)s", {"id": session_id, "sha256": sha256}
    )


async def lock_sessions(connection: Connection, session_ids: Sequence[UUID]) -> list[UploadSession]:
    """Those of the sessions that exist, locked until the end of the transaction."""
    statement: LiteralString = f"""
        select {SESSION_COLUMNS} from upload_session where id = any(%(ids)s) order by id for update
    """
    return await fetch_all(connection, UploadSession, statement, {"ids": list(session_ids)})


async def set_whole(connection: Connection, session_ids: Sequence[UUID], whole_id: UUID) -> None:
    """Say which session these others become."""
    await connection.execute(
        "update upload_session set joined_into = %(whole_id)s where id = any(%(ids)s)",
        {"ids": list(session_ids), "whole_id": whole_id},
    )


async def set_joined(connection: Connection, session_ids: Sequence[UUID]) -> None:
    """End sessions whose parts another session has got."""
    await connection.execute(
        "update upload_session set state = 'aborted', changed_at = now() where id = any(%(ids)s)",
        {"ids": list(session_ids)},
    )


async def extend_sessions(connection: Connection, session_ids: Sequence[UUID], lifetime: timedelta) -> None:
    """Extend the lives of those of the sessions that are open, and whose time is not over unless something is coming.

    They are locked in the order in which `lock_sessions` does it.
    """
    statement: LiteralString = f"""
        update upload_session set expires_at = now() + %(lifetime)s
        where id = any(array(
            select id from upload_session
            where id = any(%(ids)s) and state = 'open' and (expires_at > now() or {BEING_WRITTEN})
            order by id for update))
    """
    await connection.execute(statement, {"ids": list(session_ids), "lifetime": lifetime})


async def abort_sessions(connection: Connection, session_ids: Sequence[UUID]) -> None:
    """Abort those of the sessions that are open."""
    await connection.execute(
        "update upload_session set state = 'aborted', changed_at = now() where id = any(%(ids)s) and state = 'open'",
        {"ids": list(session_ids)},
    )


async def abort_sessions_of(connection: Connection, owner: UUID) -> None:
    """Abort the open sessions of an account."""
    await connection.execute(
        "update upload_session set state = 'aborted', changed_at = now() where owner = %(owner)s and state = 'open'",
        {"owner": owner},
    )


async def expire_sessions(connection: Connection, limit: int) -> int:
    """End open sessions whose time is over, unless something is just coming; returns their number."""
    statement: LiteralString = f"""
        update upload_session set state = 'expired', changed_at = now()
        where id = any(array(
            select id from upload_session where state = 'open' and expires_at <= now() and not {BEING_WRITTEN}
            order by expires_at limit %(limit)s for update skip locked))
    """
    return await count(connection, statement, {"limit": limit})


async def uncleaned_sessions(connection: Connection, limit: int) -> list[UploadSession]:
    """Ended sessions that may still name something in the store and that no writer is at work on."""
    statement: LiteralString = f"""
        select {SESSION_COLUMNS} from upload_session
        where {_UNCLEANED}
        order by changed_at limit %(limit)s
    """
    return await fetch_all(connection, UploadSession, statement, {"limit": limit})


async def count_overdue(connection: Connection) -> int:
    """The number of open sessions whose time is over."""
    statement = "select count(*) from upload_session where state = 'open' and expires_at <= now()"
    return await fetch_value(connection, statement, {}) or 0


async def count_uncleaned(connection: Connection) -> int:
    """The number of ended sessions that may still name something in the store."""
    return await fetch_value(connection, f"select count(*) from upload_session where {_UNCLEANED}", {}) or 0


async def is_open(connection: Connection, session_id: UUID) -> bool:
    """Whether the session takes bytes."""
    statement = "select 1 from upload_session where id = %(id)s and state = 'open'"
    return await fetch_value(connection, statement, {"id": session_id}) is not None


async def is_being_written(connection: Connection, session_id: UUID) -> bool:
    """Whether a writer is at work on the session."""
    statement: LiteralString = f"select 1 from upload_session where id = %(id)s and {BEING_WRITTEN}"
    return await fetch_value(connection, statement, {"id": session_id}) is not None


async def being_written(connection: Connection, session_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the sessions that a writer is at work on."""
    statement: LiteralString = f"select id from upload_session where id = any(%(ids)s) and {BEING_WRITTEN}"
    return set(await fetch_values(connection, statement, {"ids": list(session_ids)}))


async def living_uploads(connection: Connection, session_ids: Sequence[UUID]) -> dict[UUID, LivingUpload]:
    """Those of the sessions that have not ended, with what their writers need of the store."""
    statement: LiteralString = f"""
        select id, multipart_id, state <> 'open' or {BEING_WRITTEN} as is_busy from upload_session
        where id = any(%(ids)s) and state in ('open', 'assembling', 'verifying')
    """
    found = await fetch_all(connection, LivingUpload, statement, {"ids": list(session_ids)})
    return {upload.id: upload for upload in found}


async def set_cleaned(connection: Connection, session_ids: Sequence[UUID]) -> None:
    """Say that nothing in the store belongs to these sessions alone any more."""
    await connection.execute(
        "update upload_session set cleaned_at = now() where id = any(%(ids)s)", {"ids": list(session_ids)}
    )


async def forget_sessions(connection: Connection, age: timedelta, limit: int) -> int:
    """Delete sessions that were cleaned so long ago that nobody asks for them; returns their number."""
    statement = """
        delete from upload_session
        where id = any(array(
            select id from upload_session where cleaned_at < now() - %(age)s order by cleaned_at limit %(limit)s
            for update skip locked))
    """
    return await count(connection, statement, {"age": age, "limit": limit})


async def count_forgotten(connection: Connection, age: timedelta) -> int:
    """The number of sessions that were cleaned so long ago that nobody asks for them."""
    statement = "select count(*) from upload_session where cleaned_at < now() - %(age)s"
    return await fetch_value(connection, statement, {"age": age}) or 0
