"""The digests of many files, and the files of a digest."""

from collections.abc import Sequence
from uuid import UUID

from upload_service.content.context import Context
from upload_service.content.queries import digests

FILES_AT_MOST = 1000


async def digests_of_files(context: Context, file_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """The SHA-256 of those of these files whose content is verified, by their ids."""
    async with context.db.connection() as connection:
        return await digests.digests_of_files(connection, file_ids)


async def files_of_digest(context: Context, sha256: bytes) -> list[UUID]:
    """The files whose content has this SHA-256, up to a thousand."""
    async with context.db.connection() as connection:
        return await digests.files_of_digest(connection, sha256, FILES_AT_MOST)
