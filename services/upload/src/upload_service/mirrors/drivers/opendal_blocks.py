"""Mirrors that OpenDAL writes to block by block: FTP, Azure Blob Storage, Google Cloud Storage, Backblaze B2, Swift.

The binding has no way to abort a write. A writer that is dropped publishes nothing, but what it sent may remain: Azure
forgets it after a week; on the others it stays until a lifecycle rule of the bucket removes unfinished uploads or
segments.
"""

from collections.abc import AsyncIterable, Mapping
from contextlib import suppress

from common.store.limits import MAX_PARTS, MIB
from upload_service.mirrors.drivers.bounds import sending
from upload_service.mirrors.drivers.interface import Driver, MirrorDown, MirrorError, Place, ReplicaTooLarge, Rules
from upload_service.mirrors.drivers.opendal_base import OpenDalDriver, operator_of, translated
from upload_service.mirrors.drivers.options import service_account

MIN_BLOCK = 8 * MIB


def driver_of(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    if kind == "gcs":
        options = {**options, "credential": service_account(options["credential"])}
    operator = operator_of(kind, options)
    return FtpDriver(operator, rules) if kind == "ftp" else BlocksDriver(operator, rules)


def block_size(size: int) -> int:
    """Bytes of each block, in whole MiB: as few as allow a file of `size` at most 10,000 blocks.

    One block is held in memory.
    """
    return max(MIN_BLOCK, -(-size // MAX_PARTS // MIB) * MIB)


class BlocksDriver(OpenDalDriver):
    """A mirror that gets a file in blocks, which become one object together when the last has been sent."""

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        if size == 0 and not self._operator.capability().write_can_empty:
            raise ReplicaTooLarge("this kind of mirror cannot hold empty content")
        async with sending(blocks, size, self._seconds) as body, translated():
            file = await self._operator.open(path, "wb", chunk=block_size(size))
            try:
                async for block in body:
                    if block:
                        await file.write(block)
                # This publishes what was written, so it must not happen (in a context manager, say) after a failure.
                await file.close()
            finally:
                # Otherwise its connections stay open for as long as somebody keeps the error and its traceback.
                del file


class FtpDriver(BlocksDriver):
    """FTP, which shows a file while it is being written."""

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        try:
            return await super().write(path, blocks, size)
        except MirrorDown:
            raise
        except Exception:
            with suppress(MirrorError):
                await self.delete(Place(path))
            raise
