"""Mirrors that OpenDAL writes to in pieces: FTP, Azure Blob Storage, Google Cloud Storage, Backblaze B2, Swift.

The binding has no way to abort a write. A writer that is dropped publishes nothing, but what it sent may stay: Azure
forgets it after a week, the others until a lifecycle rule of the bucket (unfinished uploads, or segments) removes it.
"""

from collections.abc import AsyncIterable, Mapping
from contextlib import suppress

from common.store.limits import MAX_PARTS, MIB
from upload_service.mirrors.drivers.bounds import sending
from upload_service.mirrors.drivers.interface import Driver, MirrorDown, MirrorError, Place, ReplicaTooLarge, Rules
from upload_service.mirrors.drivers.opendal_base import OpenDalDriver, operator_of, translated
from upload_service.mirrors.drivers.options import service_account

MIN_PIECE = 8 * MIB


def open_driver(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    if kind == "gcs":
        options = {**options, "credential": service_account(options["credential"])}
    operator = operator_of(kind, options)
    return FtpDriver(operator, rules) if kind == "ftp" else PiecesDriver(operator, rules)


def piece_size(size: int) -> int:
    """Bytes of each piece, so that there are at most 10,000: whole MiB, and one piece is all that is held."""
    return max(MIN_PIECE, -(-size // MAX_PARTS // MIB) * MIB)


class PiecesDriver(OpenDalDriver):
    """A mirror that is written to in pieces, which become the object together when the last was sent."""

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        if size == 0 and not self._operator.capability().write_can_empty:
            raise ReplicaTooLarge("this kind of mirror cannot hold empty content")
        async with sending(blocks, size, self._seconds) as body, translated():
            file = await self._operator.open(path, "wb", chunk=piece_size(size))
            try:
                async for block in body:
                    if block:
                        await file.write(block)
                # Publishes what was written: not to be done, nor left to a context manager, when it broke off.
                await file.close()
            finally:
                # What it has open would otherwise stay so for as long as somebody keeps the error.
                del file


class FtpDriver(PiecesDriver):
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
