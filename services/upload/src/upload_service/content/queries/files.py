"""SQL on files: one function, one statement.

A file whose time is over is found only by those who remove it; everybody else is told that it does not exist.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_value, fetch_values
from upload_service.content.model import (
    KEEP,
    Blob,
    EndedFile,
    EndedFor,
    File,
    FileChange,
    FileContent,
    FilePassword,
    FileState,
)

FILE_COLUMNS: LiteralString = """id, blob_id, name, size, state, owner, created_at, expires_at, password_hash,
    (select sha256 from blob where blob.id = blob_id) as sha256"""
LIVING: LiteralString = "(expires_at is null or expires_at > now())"


async def insert_file(connection: Connection, file_id: UUID, name: str, size: int, owner: UUID | None) -> None:
    """Insert a file whose content is still to be verified."""
    await connection.execute(
        """
        insert into file (id, name, size, state, owner) values (%(id)s, %(name)s, %(size)s, 'pending', %(owner)s)
        """,
        {"id": file_id, "name": name, "size": size, "owner": owner},
    )


async def insert_ready_file(
    connection: Connection, file_id: UUID, name: str, size: int, owner: UUID | None, blob_id: UUID
) -> File:
    """Insert a file whose content is verified: that blob, on which it has a reference."""
    statement: LiteralString = f"""
        insert into file (id, name, size, state, owner, blob_id)
        values (%(id)s, %(name)s, %(size)s, 'ready', %(owner)s, %(blob_id)s)
        returning {FILE_COLUMNS}
    """
    values = {"id": file_id, "name": name, "size": size, "owner": owner, "blob_id": blob_id}
    inserted = await fetch_one(connection, File, statement, values)
    assert inserted is not None, "the id is new"
    return inserted


async def get_file(connection: Connection, file_id: UUID) -> File | None:
    """The file, unless its time is over."""
    statement: LiteralString = f"select {FILE_COLUMNS} from file where id = %(id)s and {LIVING}"
    return await fetch_one(connection, File, statement, {"id": file_id})


async def get_password(connection: Connection, file_id: UUID) -> FilePassword | None:
    """The state of the file and its own password, unless its time is over."""
    statement: LiteralString = f"select state, password_hash from file where id = %(id)s and {LIVING}"
    return await fetch_one(connection, FilePassword, statement, {"id": file_id})


async def files_of_ids(connection: Connection, file_ids: Sequence[UUID]) -> list[File]:
    """Those of these files that exist, and whose time is not over."""
    statement: LiteralString = f"select {FILE_COLUMNS} from file where id = any(%(ids)s) and {LIVING}"
    return await fetch_all(connection, File, statement, {"ids": list(file_ids)})


async def get_content(connection: Connection, file_id: UUID) -> FileContent | None:
    """The file with its blob, unless its time is over."""
    statement: LiteralString = f"""
        select name, file.state, password_hash, blob.id as blob_id, object_key, blob.size, sha256
        from file left join blob on blob.id = blob_id
        where file.id = %(id)s and {LIVING}
    """
    return await fetch_one(connection, _content, statement, {"id": file_id})


def _content(
    name: str,
    state: str,
    password_hash: str | None,
    blob_id: UUID | None,
    object_key: str,
    size: int,
    sha256: bytes,
) -> FileContent:
    blob = Blob(blob_id, object_key, size, sha256) if blob_id else None
    return FileContent(name, FileState(state), password_hash, blob)


async def lock_file(connection: Connection, file_id: UUID) -> File | None:
    """The file, whether its time is over or not, locked until the end of the transaction."""
    statement: LiteralString = f"select {FILE_COLUMNS} from file where id = %(id)s for update"
    return await fetch_one(connection, File, statement, {"id": file_id})


async def finish_file(connection: Connection, file_id: UUID, state: FileState, blob_id: UUID | None) -> None:
    """Record the outcome for a pending file; it may have been released meanwhile."""
    await connection.execute(
        "update file set state = %(state)s, blob_id = %(blob_id)s where id = %(id)s and state = 'pending'",
        {"id": file_id, "state": state, "blob_id": blob_id},
    )


async def files_of(connection: Connection, owner: UUID, after: tuple[datetime, UUID] | None, limit: int) -> list[File]:
    """An account's files, the newest first; `after`: the moment and id of the last one that is known already."""
    # A condition that also held without a cursor would keep a prepared statement from beginning at the cursor.
    further: LiteralString = "and (created_at, id) < (%(moment)s, %(id)s)" if after else ""
    statement: LiteralString = f"""
        select {FILE_COLUMNS} from file where owner = %(owner)s and {LIVING} {further}
        order by created_at desc, id desc limit %(limit)s
    """
    values = {"owner": owner, "moment": after and after[0], "id": after and after[1], "limit": limit}
    return await fetch_all(connection, File, statement, values)


async def update_file(connection: Connection, file: File, change: FileChange) -> File | None:
    """Change the file and return it; None when it has ended or has another owner meanwhile.

    An end in the past is stored as now.
    """
    statement: LiteralString = f"""
        update file set
            name = case when %(keep_name)s then name else %(name)s end,
            password_hash = case when %(keep_password)s then password_hash else %(password_hash)s end,
            expires_at = case
                when %(keep_expiry)s then expires_at
                when %(expires_at)s::timestamptz is not null then greatest(%(expires_at)s, now())
            end
        where id = %(id)s and owner is not distinct from %(owner)s and {LIVING}
        returning {FILE_COLUMNS}
    """
    values = {
        "id": file.id,
        "owner": file.owner,
        "keep_name": change.name is KEEP,
        "name": None if change.name is KEEP else change.name,
        "keep_password": change.password_hash is KEEP,
        "password_hash": None if change.password_hash is KEEP else change.password_hash,
        "keep_expiry": change.expires_at is KEEP,
        "expires_at": None if change.expires_at is KEEP else change.expires_at,
    }
    return await fetch_one(connection, File, statement, values)


async def set_owner(connection: Connection, file_id: UUID, owner: UUID) -> bool:
    """Give a file that belongs to nobody to an account; False when it is another's, or gone."""
    statement: LiteralString = f"""
        update file set owner = %(owner)s
        where id = %(id)s and (owner is null or owner = %(owner)s) and {LIVING}
    """
    return await count(connection, statement, {"id": file_id, "owner": owner}) == 1


async def mark_ended(connection: Connection, file_id: UUID, ended_for: EndedFor | None = None) -> None:
    """End the file now, unless its time is over already; `ended_for`: by whom, or the reason."""
    await connection.execute(
        f"update file set expires_at = now(), ended_for = %(ended_for)s where id = %(id)s and {LIVING}",
        {"id": file_id, "ended_for": ended_for},
    )


async def end_files_of(connection: Connection, owner: UUID) -> None:
    """End all files of an account now."""
    await connection.execute(
        f"update file set expires_at = now() where owner = %(owner)s and {LIVING}", {"owner": owner}
    )


async def mark_all_ended(connection: Connection, file_ids: Sequence[UUID]) -> None:
    """End these files now, unless their time is over already."""
    await connection.execute(
        f"update file set expires_at = now() where id = any(%(ids)s) and {LIVING}", {"ids": list(file_ids)}
    )


async def ended_files(connection: Connection, limit: int) -> list[EndedFile]:
    """Files whose time is over, the longest ago first."""
    statement = "select id, ended_for from file where expires_at <= now() order by expires_at limit %(limit)s"
    return await fetch_all(connection, EndedFile, statement, {"limit": limit})


async def why_ended(connection: Connection, file_ids: Sequence[UUID]) -> list[EndedFile]:
    """Those of these files that exist, with the person who ended each, or the reason."""
    statement = "select id, ended_for from file where id = any(%(ids)s)"
    return await fetch_all(connection, EndedFile, statement, {"ids": list(file_ids)})


async def delete_files(connection: Connection, file_ids: Sequence[UUID]) -> list[UUID]:
    """Delete files and return the ids of their blobs, once for each file that had one."""
    statement = """
        with deleted as (
            delete from file where id = any(array(select id from file where id = any(%(ids)s) order by id for update))
            returning blob_id)
        select blob_id from deleted where blob_id is not null
    """
    return await fetch_values(connection, statement, {"ids": list(file_ids)})


async def delete_file(connection: Connection, file_id: UUID) -> UUID | None:
    """Delete a file and return the id of its blob, if it had one."""
    return await fetch_value(connection, "delete from file where id = %(id)s returning blob_id", {"id": file_id})


async def unclaimed_files(connection: Connection, age: timedelta, limit: int) -> list[UUID]:
    """Files older than `age` that no share is known to hold."""
    statement = """
        select id from file where claimed_at is null and created_at < now() - %(age)s
        order by created_at limit %(limit)s
    """
    return await fetch_values(connection, statement, {"age": age, "limit": limit})


async def claim_files(connection: Connection, file_ids: Sequence[UUID]) -> None:
    """Remember that a share holds these files."""
    await connection.execute("update file set claimed_at = now() where id = any(%(ids)s)", {"ids": list(file_ids)})


async def count_unclaimed(connection: Connection, age: timedelta) -> int:
    """The number of files older than `age` that no share is known to hold."""
    statement = "select count(*) from file where claimed_at is null and created_at < now() - %(age)s"
    return await fetch_value(connection, statement, {"age": age}) or 0


async def count_ended(connection: Connection) -> int:
    """The number of files whose time is over."""
    return await fetch_value(connection, "select count(*) from file where expires_at <= now()", {}) or 0
