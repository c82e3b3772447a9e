"""Mirrors that OpenDAL writes to block by block: FTP, Azure Blob Storage, Google Cloud Storage, Backblaze B2, Swift.

The binding has no way to abort a write. A writer that is dropped publishes nothing, but what it sent may remain: Azure
forgets it after a week; FTP's driver removes it itself; on the others it stays until a lifecycle rule of the bucket
removes unfinished uploads or segments.
"""

import re
from collections.abc import AsyncIterable, Mapping
from contextlib import suppress

import opendal

from common.store.limits import MAX_PARTS, MIB
from upload_service.mirrors.drivers import unfinished
from upload_service.mirrors.drivers.bounds import bounded, sending
from upload_service.mirrors.drivers.ftp_login import sign_in
from upload_service.mirrors.drivers.interface import (
    Driver,
    MirrorDown,
    MirrorError,
    Place,
    ReplicaEmpty,
    Rules,
)
from upload_service.mirrors.drivers.opendal_base import OpenDalDriver, operator_of, translated
from upload_service.mirrors.drivers.options import service_account

MIN_BLOCK = 8 * MIB


def driver_of(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    if kind == "gcs":
        options = {**options, "credential": service_account(options["credential"])}
    operator = operator_of(kind, options)
    if kind == "ftp":
        return FtpDriver(operator, operator_of(kind, {**options, "root": "/"}), options, rules)
    return BlocksDriver(operator, rules)


def block_size(size: int) -> int:
    """Bytes of each block, in whole MiB: as few as allow a file of `size` at most 10,000 blocks.

    One block is held in memory.
    """
    return max(MIN_BLOCK, -(-size // MAX_PARTS // MIB) * MIB)


class BlocksDriver(OpenDalDriver):
    """A mirror that gets a file in blocks, which become one object together when the last has been sent."""

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        if size == 0 and not self._operator.capability().write_can_empty:
            raise ReplicaEmpty
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
    """FTP. OpenDAL writes to a file in the root, and renames it when it is whole.

    The file is named after that of the path, with eight random characters. What a killed process or a lost connection
    leaves of it is removed when the same path is next written or deleted.
    """

    swept = ("", unfinished.PROBES)

    def __init__(
        self, operator: opendal.AsyncOperator, above: opendal.AsyncOperator, options: Mapping[str, str], rules: Rules
    ) -> None:
        """`above`: the operator of the whole server, which can make the root."""
        super().__init__(operator, rules)
        self._above, self._options = above, options
        self._root = options.get("root", "/").strip("/")

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        try:
            if self._root:
                # It does nothing to folders that are there, and makes those above as well.
                await self._ask(self._above.create_dir(f"{self._root}/"))
            await self._remove_attempts(path)
            return await super().write(path, blocks, size)
        except MirrorDown:
            raise
        except Exception:
            with suppress(MirrorError):
                await self.delete(Place(path))
            raise

    async def delete(self, place: Place) -> None:
        await self._remove_attempts(place.path)
        await super().delete(place)

    async def check(self) -> None:
        async with bounded(self._seconds):
            await sign_in(self._options)
        await super().check()

    async def _remove_attempts(self, path: str) -> None:
        attempt = re.compile(re.escape(path.rpartition("/")[2]) + r"\.[A-Za-z0-9]{8}")
        for entry in await self._listed(""):
            if attempt.fullmatch(entry.name):
                await super().delete(Place(entry.name))
