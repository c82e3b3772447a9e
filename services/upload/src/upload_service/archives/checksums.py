"""The CRC-32 of contents, which the format of archives asks for before the content.

It is computed when a content is first put into an archive, and kept with the blob. Most contents never are, and to
compute it at every upload would cost half as much again as their SHA-256.
"""

import zlib
from contextlib import aclosing

from upload_service.archives import queries
from upload_service.archives.context import Context
from upload_service.archives.reading import Contents
from upload_service.content.model import Blob


async def crc_of(context: Context, contents: Contents, blob: Blob) -> int:
    """Compute the CRC-32 of a blob that was never computed, and keep it. Raises `NoReplica`."""

    async def compute() -> int:
        crc = 0
        if blob.size:
            async with aclosing(contents.read(blob, 0, blob.size)) as blocks:
                async for block in blocks:
                    crc = zlib.crc32(block, crc)
        async with context.db.connection() as connection:
            await queries.set_crc(connection, blob.id, crc)
        return crc

    return await context.checksums.result(blob.id, compute)
