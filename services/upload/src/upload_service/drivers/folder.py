"""A folder of this machine, or of a disk that it mounts."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from pathlib import Path

from upload_service.drivers import unfinished
from upload_service.drivers.interface import Driver, MirrorDown, Place, Rules
from upload_service.drivers.opendal_base import operator_of
from upload_service.drivers.options import folder_of
from upload_service.drivers.pieces import PiecesDriver


def open_driver(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    return FolderDriver(folder_of(options["root"], rules), rules)


class FolderDriver:
    """A folder, which must exist: a disk that is not mounted is down, and not an empty mirror."""

    def __init__(self, root: Path, rules: Rules) -> None:
        self._root, self._rules = root, rules
        self._opened: PiecesDriver | None = None

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        driver = await self._present()
        # What a killed process left of this very path.
        await asyncio.to_thread(self._remove_unfinished, path)
        try:
            return await driver.write(path, blocks, size)
        except BaseException:
            # The binding cannot abort a write.
            await asyncio.shield(asyncio.to_thread(self._remove_unfinished, path))
            raise

    async def read(self, place: Place, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        driver = await self._present()
        async for block in driver.read(place, start, length):
            yield block

    async def delete(self, place: Place) -> None:
        driver = await self._present()
        await asyncio.to_thread(self._remove_unfinished, place.path)
        await driver.delete(place)

    async def check(self) -> None:
        driver = await self._present()
        await driver.check()

    async def close(self) -> None:
        """Nothing: no file stays open."""

    async def _present(self) -> PiecesDriver:
        """The driver of the folder, while it is there and where it was when it was allowed."""
        if not await asyncio.to_thread(lambda: self._root.is_dir() and self._root.resolve() == self._root):
            raise MirrorDown("the folder is not there")
        if self._opened is None:
            options = {"root": str(self._root), "atomic_write_dir": str(self._root / unfinished.FOLDER)}
            self._opened = PiecesDriver(operator_of("fs", options), self._rules)
        return self._opened

    def _remove_unfinished(self, path: str) -> None:
        # OpenDAL gives each attempt a name of its own: that of the file, and something random.
        name = path.rpartition("/")[2]
        for file in (self._root / unfinished.FOLDER).glob(f"{name}.*"):
            file.unlink(missing_ok=True)
