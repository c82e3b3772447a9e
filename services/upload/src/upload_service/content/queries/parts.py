"""SQL on the parts of sessions and on the right to write them: one function, one statement."""

from collections.abc import Sequence
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import count, fetch_all, fetch_one, fetch_values
from common.store import StoredPart
from upload_service.content.model import Part

_COLUMNS: LiteralString = "index, size, sha256, etag, kept, object_key"


async def reserve_part(connection: Connection, session_id: UUID, index: int, writer: UUID, lease: timedelta) -> bool:
    """Make `writer` the only one who may record this part.

    False when it is stored, or another writer is at it, or the session is not open. The session's row is locked for the
    moment: when a session ends, it sees every writer that came before, and none comes after.
    """
    statement = """
        insert into part (session_id, index, writer, lease_until)
        select id, %(index)s, %(writer)s, now() + %(lease)s
        from upload_session where id = %(session_id)s and state = 'open' for share
        on conflict (session_id, index) do update set writer = excluded.writer, lease_until = excluded.lease_until
        where part.stored_at is null and part.lease_until < now()
    """
    values = {"session_id": session_id, "index": index, "writer": writer, "lease": lease}
    return await count(connection, statement, values) == 1


async def extend_part(connection: Connection, session_id: UUID, index: int, writer: UUID, lease: timedelta) -> bool:
    """Renew a reservation; False when it was lost, or its session has ended."""
    statement = """
        update part set lease_until = now() + %(lease)s
        from upload_session
        where session_id = %(session_id)s and index = %(index)s and writer = %(writer)s
            and upload_session.id = session_id and upload_session.state = 'open'
    """
    values = {"session_id": session_id, "index": index, "writer": writer, "lease": lease}
    return await count(connection, statement, values) == 1


async def record_part(connection: Connection, session_id: UUID, part: Part, writer: UUID, lifetime: timedelta) -> bool:
    """Record a stored part, and extend the session's life; False when the writer has lost its reservation."""
    statement = """
        with session as (
            update upload_session set expires_at = now() + %(lifetime)s
            where id = %(session_id)s and state = 'open'
            returning id)
        update part set size = %(size)s, sha256 = %(sha256)s, etag = %(etag)s, multipart_id = null, stored_at = now()
        from session
        where session_id = session.id and index = %(index)s and writer = %(writer)s and stored_at is null
    """
    values = {
        "session_id": session_id,
        "index": part.index,
        "writer": writer,
        "size": part.size,
        "sha256": part.sha256,
        "etag": part.etag,
        "lifetime": lifetime,
    }
    return await count(connection, statement, values) == 1


async def record_stored(connection: Connection, session_id: UUID, found: Sequence[StoredPart]) -> None:
    """Record parts that somebody else has put into the store, whose digests are not known."""
    await connection.execute(
        """
        insert into part (session_id, index, writer, lease_until, size, etag, stored_at)
        select id, found.number - 1, id, '-infinity', found.size, found.etag, now()
        from upload_session, unnest(%(numbers)s::integer[], %(sizes)s::bigint[], %(etags)s::text[])
            as found (number, size, etag)
        where id = %(session_id)s and state = 'open'
        on conflict (session_id, index) do update
            set size = excluded.size, etag = excluded.etag, sha256 = null, stored_at = excluded.stored_at
        """,
        {
            "session_id": session_id,
            "numbers": [part.number for part in found],
            "sizes": [part.size for part in found],
            "etags": [part.etag for part in found],
        },
    )


async def drop_part(connection: Connection, session_id: UUID, index: int, writer: UUID) -> None:
    """Give up a reservation whose writing failed, so that the next writer need not wait for its end."""
    await connection.execute(
        """
        update part set lease_until = '-infinity'
        where session_id = %(session_id)s and index = %(index)s and writer = %(writer)s and stored_at is null
        """,
        {"session_id": session_id, "index": index, "writer": writer},
    )


async def forget_parts(connection: Connection, session_id: UUID, indexes: Sequence[int]) -> None:
    """Forget parts that the store does not have as recorded, but remember that something was written there."""
    await connection.execute(
        """
        update part set stored_at = null, kept = null, lease_until = '-infinity'
        where session_id = %(session_id)s and index = any(%(indexes)s)
        """,
        {"session_id": session_id, "indexes": list(indexes)},
    )


async def get_part(connection: Connection, session_id: UUID, index: int) -> Part | None:
    """The part, if it is stored."""
    statement: LiteralString = f"""
        select {_COLUMNS} from part
        where session_id = %(session_id)s and index = %(index)s and stored_at is not null
    """
    return await fetch_one(connection, Part, statement, {"session_id": session_id, "index": index})


async def stored_parts(connection: Connection, session_id: UUID) -> list[Part]:
    """The stored parts, in order."""
    statement: LiteralString = f"""
        select {_COLUMNS} from part where session_id = %(session_id)s and stored_at is not null order by index
    """
    return await fetch_all(connection, Part, statement, {"session_id": session_id})


async def stored_sizes(connection: Connection, session_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The number of stored bytes that count, of each of these sessions that has any."""
    statement: LiteralString = """
        select session_id, sum(coalesce(kept, size))::bigint as size from part
        where session_id = any(%(ids)s) and stored_at is not null group by session_id
    """
    return dict(await fetch_all(connection, _stored_size, statement, {"ids": list(session_ids)}))


async def reserved_indexes(connection: Connection, session_ids: Sequence[UUID]) -> dict[UUID, list[int]]:
    """Every index that was ever written to, stored or not, by sessions."""
    statement = "select session_id, index from part where session_id = any(%(ids)s) order by index"
    indexes: dict[UUID, list[int]] = {}
    for session_id, index in await fetch_all(connection, _reserved, statement, {"ids": list(session_ids)}):
        indexes.setdefault(session_id, []).append(index)
    return indexes


def _reserved(session_id: UUID, index: int) -> tuple[UUID, int]:
    return session_id, index


async def moved_keys(connection: Connection, session_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The objects of parts that were sent to other sessions, by the sessions that have them now."""
    statement = """
        select session_id, object_key from part where session_id = any(%(ids)s) and object_key is not null
    """
    keys: dict[UUID, list[str]] = {}
    for session_id, key in await fetch_all(connection, _moved, statement, {"ids": list(session_ids)}):
        keys.setdefault(session_id, []).append(key)
    return keys


def _moved(session_id: UUID, object_key: str) -> tuple[UUID, str]:
    return session_id, object_key


async def move_parts(connection: Connection, session_ids: Sequence[UUID], into: UUID) -> None:
    """Give the stored parts of sessions, in the order of these, to a session that has none."""
    await connection.execute(
        """
        with laid as (
            select session_id, index,
                row_number() over (order by array_position(%(ids)s::uuid[], session_id), index) - 1 as place
            from part where session_id = any(%(ids)s) and stored_at is not null)
        update part set session_id = %(into)s, index = laid.place, object_key = coalesce(
            part.object_key, 'staged/' || replace(part.session_id::text, '-', '') || '/' || part.index)
        from laid
        where part.session_id = laid.session_id and part.index = laid.index
        """,
        {"ids": list(session_ids), "into": into},
    )


async def truncate_parts(connection: Connection, session_id: UUID, before: int, at: int) -> list[int]:
    """Truncate the parts before index `before` at offset `at`; returns the indexes of those truncated to nothing."""
    statement = """
        with laid as (
            select index, coalesce(kept, size) as length,
                sum(coalesce(kept, size)) over (order by index) - coalesce(kept, size) as start
            from part where session_id = %(session_id)s and index < %(before)s and stored_at is not null),
        truncated as (
            update part set kept = greatest(%(at)s - laid.start, 0)
            from laid
            where session_id = %(session_id)s and part.index = laid.index and laid.start + laid.length > %(at)s
            returning part.index, part.kept)
        select index from truncated where kept = 0 order by index
    """
    return await fetch_values(connection, statement, {"session_id": session_id, "before": before, "at": at})


async def set_part_multipart(
    connection: Connection, session_id: UUID, index: int, writer: UUID, multipart_id: str | None
) -> bool:
    """Record the multipart upload of a part that is being written; False when the reservation was lost."""
    statement = """
        update part set multipart_id = %(multipart_id)s
        where session_id = %(session_id)s and index = %(index)s and writer = %(writer)s and stored_at is null
    """
    values = {"session_id": session_id, "index": index, "writer": writer, "multipart_id": multipart_id}
    return await count(connection, statement, values) == 1


async def part_multiparts(connection: Connection, session_ids: Sequence[UUID]) -> dict[UUID, dict[int, str]]:
    """The multipart uploads of parts that were begun and not recorded as stored, by sessions and by indexes."""
    statement = """
        select session_id, index, multipart_id from part
        where session_id = any(%(ids)s) and multipart_id is not null
    """
    multiparts: dict[UUID, dict[int, str]] = {}
    for session_id, index, multipart_id in await fetch_all(
        connection, _multipart, statement, {"ids": list(session_ids)}
    ):
        multiparts.setdefault(session_id, {})[index] = multipart_id
    return multiparts


def _multipart(session_id: UUID, index: int, multipart_id: str) -> tuple[UUID, int, str]:
    return session_id, index, multipart_id


def _stored_size(session_id: UUID, size: int) -> tuple[UUID, int]:
    return session_id, size
