"""A folder on this machine or on a disk mounted there."""

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from upload_service.mirrors.drivers import unfinished
from upload_service.mirrors.drivers.bounds import bounded
from upload_service.mirrors.drivers.interface import Driver, MirrorDown, MirrorRefused, Place, Rules
from upload_service.mirrors.drivers.opendal_base import READ_BLOCK, operator_of, translated
from upload_service.mirrors.drivers.opendal_blocks import BlocksDriver
from upload_service.mirrors.drivers.options import folder_of

THREADS = 4

_Answer = TypeVar("_Answer")


def driver_of(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    return FolderDriver(folder_of(options["root"], rules), rules)


class _Files(BlocksDriver):
    """The files of a folder that is there."""

    swept = (unfinished.FOLDER, unfinished.PROBES)


class FolderDriver:
    """A folder, which must exist: a disk that is not mounted is a mirror that is down, not an empty one.

    It has threads of its own, so that a disk that hangs keeps only its own requests waiting.
    """

    can_delete = True

    def __init__(self, root: Path, rules: Rules) -> None:
        self._root, self._rules = root, rules
        self._threads = ThreadPoolExecutor(THREADS, "folder")
        self._found: tuple[Path, BlocksDriver] | None = None

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        driver = await self._present()
        # A killed process may have left something of this path.
        await self._ask(lambda: self._remove_unfinished(path))
        try:
            return await driver.write(path, blocks, size)
        except BaseException:
            # The binding cannot abort a write.
            await asyncio.shield(self._ask(lambda: self._remove_unfinished(path)))
            raise

    async def read(self, place: Place, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        # OpenDAL copies each block more often, which costs a third more processor time.
        await self._present()
        async with translated():
            fd = await self._ask(lambda: os.open(self._root / place.path, os.O_RDONLY | os.O_CLOEXEC))
            try:
                while count := READ_BLOCK if length is None else min(length, READ_BLOCK):
                    block = await self._ask(partial(os.pread, fd, count, start))
                    if not block:
                        return
                    start += len(block)
                    length = None if length is None else length - len(block)
                    yield block
            finally:
                os.close(fd)

    async def delete(self, place: Place) -> None:
        driver = await self._present()
        await self._ask(lambda: self._remove_unfinished(place.path))
        await driver.delete(place)

    async def remove_left(self, before: datetime) -> int:
        driver = await self._present()
        return await driver.remove_left(before)

    async def check(self) -> None:
        driver = await self._present()
        await driver.check()

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, question: Callable[[], _Answer]) -> _Answer:
        async with bounded(self._rules.stall_seconds):
            return await asyncio.get_running_loop().run_in_executor(self._threads, question)

    async def _present(self) -> BlocksDriver:
        """The driver of the folder as it is now. Raises `MirrorDown`, `MirrorRefused`."""
        return await self._ask(self._find)

    def _find(self) -> BlocksDriver:
        root = self._root.resolve()
        if not root.is_dir():
            raise MirrorDown("the folder is not there")
        if not any(root.is_relative_to(folder.resolve()) for folder in self._rules.folders):
            raise MirrorRefused("the folder leads to where no mirror may be")
        if self._found is None or self._found[0] != root:
            options = {"root": str(root), "atomic_write_dir": str(root / unfinished.FOLDER)}
            self._found = root, _Files(operator_of("fs", options), self._rules)
        return self._found[1]

    def _remove_unfinished(self, path: str) -> None:
        # OpenDAL names each attempt after the file, with a random suffix.
        name = path.rpartition("/")[2]
        for file in (self._root / unfinished.FOLDER).glob(f"{name}.*"):
            file.unlink(missing_ok=True)
