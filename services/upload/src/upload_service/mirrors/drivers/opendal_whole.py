"""Mirrors that OpenDAL writes to in one piece: Dropbox, Google Drive, OneDrive. They take small files alone."""

from collections.abc import AsyncIterable, Mapping

from common.store.limits import MIB
from upload_service.mirrors.drivers.bounds import sending
from upload_service.mirrors.drivers.interface import Driver, ReplicaTooLarge, Rules
from upload_service.mirrors.drivers.opendal_base import OpenDalDriver, operator_of, translated

MAX_SIZE = 32 * MIB
"""The piece is held in memory."""


def open_driver(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    return GatheredDriver(operator_of(kind, options), rules)


class GatheredDriver(OpenDalDriver):
    """A mirror that is written to by one request, with what was gathered before."""

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        if size > MAX_SIZE:
            raise ReplicaTooLarge(f"this kind of mirror holds at most {MAX_SIZE} bytes")
        if size == 0 and not self._operator.capability().write_can_empty:
            raise ReplicaTooLarge("this kind of mirror cannot hold empty content")
        async with sending(blocks, size, self._seconds) as body, translated():
            content = b"".join([block async for block in body])
            await self._operator.write(path, content)
