"""Mirrors that OpenDAL can write to in one request only: Dropbox, Google Drive, OneDrive. They take small files."""

from collections.abc import AsyncIterable, Mapping

from common.store.limits import MIB
from upload_service.mirrors.drivers.bounds import sending
from upload_service.mirrors.drivers.interface import Driver, ReplicaEmpty, ReplicaTooLarge, Rules
from upload_service.mirrors.drivers.opendal_base import OpenDalDriver, operator_of, translated

MAX_SIZE = 32 * MIB
"""The largest file that is taken, because all of it is held in memory."""


def driver_of(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    return WholeDriver(operator_of(kind, options), rules)


class WholeDriver(OpenDalDriver):
    """A mirror that gets each file by one request, once all of it has been read."""

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        if size > MAX_SIZE:
            raise ReplicaTooLarge(f"this kind of mirror holds at most {MAX_SIZE} bytes")
        if size == 0 and not self._operator.capability().write_can_empty:
            raise ReplicaEmpty
        async with sending(blocks, size, self._seconds) as body, translated():
            content = b"".join([block async for block in body])
            await self._operator.write(path, content)
