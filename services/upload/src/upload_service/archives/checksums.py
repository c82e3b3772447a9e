"""The CRC-32 of contents, which the format of archives asks for before the content.

It is computed when a content is first put into an archive, and kept with the blob. Most contents never are, and to
compute it at every upload would cost half as much again as their SHA-256.
"""

import asyncio
import zlib
from contextlib import aclosing

from common import logging
from common.store import ContentHasher
from upload_service.archives import queries
from upload_service.archives.context import Context
from upload_service.archives.model import ContentUnavailable
from upload_service.archives.reading import Contents
from upload_service.content.model import Blob

_log = logging.get(__name__)


async def crc_of(context: Context, contents: Contents, blob: Blob) -> int:
    """Compute the CRC-32 of a blob that was never computed, and keep it.

    Raises `NoReplica`, and `ContentUnavailable` for bytes that are not the content: their checksum must not be kept.
    """

    async def compute() -> int:
        crc, hasher = 0, ContentHasher()

        def update(block: bytes) -> None:
            nonlocal crc
            crc = zlib.crc32(block, crc)
            hasher.update(block)

        if blob.size:
            async with aclosing(contents.read(blob, 0, blob.size)) as blocks:
                async for block in blocks:
                    await asyncio.to_thread(update, block)
        if not hasher.is_of(blob.size, blob.sha256):
            _log.error("a stored content is damaged", blob=blob.id.hex)
            raise ContentUnavailable
        async with context.db.connection() as connection:
            await queries.set_crc(connection, blob.id, crc)
        return crc

    return await context.checksums.result(blob.id, compute)
