"""SQL on the contents of archives: one function, one statement."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from common.db import Connection
from common.db.rows import fetch_all
from upload_service.archives.model import KnownBlob
from upload_service.content.model import Blob
from upload_service.content.queries.files import LIVING


async def blobs_of_files(connection: Connection, file_ids: Sequence[UUID]) -> dict[UUID, KnownBlob]:
    """The verified contents of those of the files that have one and whose time is not over."""
    statement: LiteralString = f"""
        select file.id as file_id, blob.id as blob_id, object_key, blob.size, sha256, crc32
        from file join blob on blob.id = blob_id
        where file.id = any(%(ids)s) and {LIVING}
    """
    return dict(await fetch_all(connection, _known, statement, {"ids": list(file_ids)}))


def _known(
    file_id: UUID, blob_id: UUID, object_key: str, size: int, sha256: bytes, crc32: int | None
) -> tuple[UUID, KnownBlob]:
    return file_id, KnownBlob(Blob(blob_id, object_key, size, sha256), crc32)


async def set_crc(connection: Connection, blob_id: UUID, crc: int) -> None:
    await connection.execute("update blob set crc32 = %(crc)s where id = %(id)s", {"id": blob_id, "crc": crc})
