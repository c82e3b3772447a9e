"""SQL on the digests of files."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import fetch_all, fetch_values


async def digests_of_files(connection: Connection, file_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """The SHA-256 of those of these files whose content is verified, by their ids."""
    statement: LiteralString = """
        select file.id, sha256 from file join blob on blob.id = blob_id where file.id = any(%(file_ids)s)
    """
    return dict(await fetch_all(connection, _pair, statement, {"file_ids": list(file_ids)}))


async def files_of_digest(connection: Connection, sha256: bytes, limit: int) -> list[UUID]:
    """Up to `limit` files of the contents with this SHA-256."""
    statement: LiteralString = """
        select id from file where blob_id = any(array(
            select id from blob where sha256 = %(sha256)s and state = 'ready'
        ))
        limit %(limit)s
    """
    return await fetch_values(connection, statement, {"sha256": sha256, "limit": limit})


def _pair(id: UUID, sha256: bytes) -> tuple[UUID, bytes]:  # noqa: A002
    return id, sha256
