"""Opening an archive for a download: the share service says what a ticket is for."""

import zlib
from datetime import datetime
from typing import Any
from uuid import UUID

from upload_service.archives import queries
from upload_service.archives.context import Context
from upload_service.archives.model import ArchiveChanged, ArchivedItem, ArchivedShare, ContentUnavailable, OpenedArchive


async def open_archive(context: Context, share_id: UUID, tag: str, ticket: str) -> OpenedArchive:
    """The archive of a share. `tag`: that of the archive whose bytes the client was promised, in hex digits.

    Raises `ArchiveChanged` if the share has other items by now, `ContentUnavailable` if a file of it is gone, and what
    the share service answers: `NotFound` for a wrong ticket, and `Gone`.
    """
    share = _share(share_id, ticket, await context.shares.archived(share_id, ticket))
    archive = share.archive()
    if archive.tag.hex() != tag:
        raise ArchiveChanged
    async with context.db.connection() as connection:
        file_ids = [item.file_id for item in share.items if item.file_id]
        known = await queries.blobs_of_files(connection, file_ids)
    found = [known.get(item.file_id) if item.file_id else None for item in share.items]
    for item, content in zip(share.items, found, strict=True):
        if item.file_id and (content is None or not _is(item, content.blob.size, content.blob.sha256)):
            raise ContentUnavailable
    crcs = [content.crc if content else None for content in found]
    return OpenedArchive(
        share, archive, [content.blob if content else None for content in found], [*crcs, zlib.crc32(archive.sums)]
    )


def _is(item: ArchivedItem, size: int, sha256: bytes) -> bool:
    return (item.size, item.sha256) == (size, sha256)


def _share(share_id: UUID, ticket: str, answer: dict[str, Any]) -> ArchivedShare:
    items = [
        ArchivedItem(
            id=UUID(item["id"]),
            name=str(item["name"]),
            size=int(item["size"]),
            sha256=bytes.fromhex(item["sha256"]),
            file_id=UUID(item["file_id"]) if item["file_id"] else None,
        )
        for item in answer["items"]
    ]
    return ArchivedShare(share_id, ticket, datetime.fromisoformat(answer["modified"]), items)
