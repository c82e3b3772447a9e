"""The folder store. Its methods are those of `ObjectStore`."""

import asyncio
import os
import stat
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

from common import tracing
from common.store.digest import ContentHasher
from common.store.folder.disk import Disk
from common.store.folder.errors import GONE, translating
from common.store.folder.files import ObjectWriter, PartWriter, read_each
from common.store.folder.joining import Joiner
from common.store.folder.layout import is_id, new_id, place_of
from common.store.folder.pouring import Threads, pour
from common.store.interface import (
    Digest,
    Lease,
    ObjectDamaged,
    ObjectInfo,
    ObjectMissing,
    PartBusy,
    PartMismatch,
    Piece,
    Source,
    StoredPart,
    StoreRefused,
    Unfinished,
    UploadMissing,
    WrittenObject,
)
from common.store.limits import MIB, Limits, StoreLimit
from common.store.room import UNKNOWN_ROOM, Room
from common.waiting import wait_until

LIMITS = Limits(min_part_size=1, max_parts=1_000_000, assembled_at_once=1_000_000)
# How long a writer waits for another one that was stopped in the middle of the same part.
BUSY_PATIENCE = timedelta(seconds=20)
READ_BLOCK = MIB
# A thread hashes so many bytes before it looks up: a reader that has gone should not be waited for.
READ_BACK_STEP = 32 * MIB


class FolderStore:
    """A folder of this machine."""

    def __init__(self, root: Path, *, room: Room = UNKNOWN_ROOM, synced: bool = True) -> None:
        """`room`: what is left on the folder's disk. `synced`: what is acknowledged survives a power failure."""
        self.room = room
        self.limits = LIMITS
        self._disk = Disk(root, synced=synced)
        self._layout = self._disk.layout
        self._open_threads: Threads | None = None

    async def open(self) -> None:
        self._open_threads = Threads()

    async def close(self) -> None:
        if self._open_threads:
            self._open_threads.close()
            self._open_threads = None

    @property
    def _threads(self) -> Threads:
        assert self._open_threads is not None, "the store is not open"
        return self._open_threads

    async def prepare(self) -> None:
        await self._threads.run(translating(self._disk.prepare))

    async def ready(self) -> None:
        await self._threads.run(translating(self._disk.check))

    def gateway_path(self, method: str, key: str) -> str:
        """The path below `objects`, for any method."""
        return f"/{place_of(key)}"

    async def check(self, key: str, size: int) -> None:
        info = await self.stat(key)
        if info is None:
            raise ObjectMissing
        if info.size != size:
            await self._threads.run(translating(self._disk.put_aside), key, size)
            raise ObjectDamaged

    async def put(
        self,
        key: str,
        blocks: AsyncIterable[bytes],
        size: int,
        *,
        digest: Digest | None = None,
        lease: Lease | None = None,
    ) -> None:
        self.room.check(size)
        writer = ObjectWriter(self._disk, self.room, key, digest, lease, size)
        with _writing():
            await pour(self._threads, blocks, writer, lease, size=size)

    async def write_stream(
        self,
        key: str,
        source: Source,
        *,
        on_multipart: Callable[[str], Awaitable[None]],
        hasher: ContentHasher | None = None,
        max_size: int | None = None,
        lease: Lease | None = None,
    ) -> WrittenObject:
        self.room.check(source.certain())
        hasher = hasher or ContentHasher()
        writer = ObjectWriter(self._disk, self.room, key, hasher.update, lease, source.certain())
        with _writing():
            size = await pour(self._threads, source, writer, lease, max_size=max_size)
        return WrittenObject(size, hasher.sha256)

    async def join(
        self,
        key: str,
        pieces: Sequence[Piece],
        hasher: ContentHasher,
        *,
        on_multipart: Callable[[str], Awaitable[None]],
        lease: Lease | None = None,
    ) -> None:
        self.room.check(sum(piece.size for piece in pieces))
        joiner = Joiner(self._disk, key, pieces, hasher, lease)
        try:
            while not await self._threads.run(translating(joiner.advance)):
                pass
        finally:
            await self._threads.run(translating(joiner.close))

    async def create_multipart(self, key: str) -> str:
        upload_id = new_id()
        await self._threads.run(translating(self._create), self._layout.being_written(key, upload_id))
        return upload_id

    def _create(self, path: Path) -> None:
        os.close(self._disk.create(path))
        self._disk.sync(self._layout.unfinished)

    async def put_part(
        self,
        key: str,
        upload_id: str,
        number: int,
        blocks: AsyncIterable[bytes],
        size: int,
        *,
        offset: int = 0,
        digest: Digest | None = None,
        lease: Lease | None = None,
    ) -> StoredPart:
        if not 1 <= number <= self.limits.max_parts or size < 0:
            raise StoreLimit(f"parts have numbers from 1 to {self.limits.max_parts}")
        if not is_id(upload_id):
            raise UploadMissing
        self.room.check(size)
        writer = PartWriter(self._disk, self.room, key, upload_id, offset, size, digest, lease)
        try:
            await self._begin(writer, lease)
        except BaseException:
            await asyncio.shield(self._threads.run(writer.drop))
            raise
        with _writing():
            await pour(self._threads, blocks, writer, lease, size=size)
        return StoredPart(number, size, "")

    async def _begin(self, writer: PartWriter, lease: Lease | None) -> None:
        """Wait until no other writer is in the middle of the part. Raises `PartBusy`, `UploadMissing`."""

        async def is_free() -> bool:
            if lease:
                await lease.hold()
            return await self._threads.run(writer.begin)

        if not await wait_until(is_free, bool, BUSY_PATIENCE, first=0.01, longest=0.2):
            raise PartBusy

    def part_path(self, key: str, upload_id: str, number: int, size: int, lifetime: timedelta) -> str | None:
        return None

    async def stored_parts(self, key: str, upload_id: str) -> list[StoredPart]:
        raise StoreRefused("nobody else writes parts into a folder")

    async def complete_multipart(self, key: str, upload_id: str, parts: Sequence[StoredPart]) -> None:
        if not 1 <= len(parts) <= self.limits.max_parts:
            raise StoreLimit(f"an object has 1 to {self.limits.max_parts} parts, not {len(parts)}")
        if not is_id(upload_id):
            raise UploadMissing
        size = sum(part.size for part in parts)
        await self._threads.run(translating(self._complete), key, self._layout.being_written(key, upload_id), size)

    def _complete(self, key: str, path: Path, size: int) -> None:
        try:
            if path.lstat().st_size != size:
                raise PartMismatch
            self._disk.publish(path, key)
        except GONE:
            self._disk.check()
            raise UploadMissing from None

    async def abort_multipart(self, key: str, upload_id: str) -> None:
        if is_id(upload_id):
            await self._threads.run(translating(self._disk.remove), self._layout.being_written(key, upload_id))

    async def unfinished(self, age: timedelta) -> list[Unfinished]:
        return await self._threads.run(translating(self._disk.unfinished), age)

    async def stat(self, key: str) -> ObjectInfo | None:
        return await self._threads.run(translating(self._stat), self._layout.object(key))

    def _stat(self, path: Path) -> ObjectInfo | None:
        try:
            found = path.lstat()
            # Nothing else than a file is an object, a link least of all.
            return ObjectInfo(found.st_size) if stat.S_ISREG(found.st_mode) else None
        except GONE:
            self._disk.check()
            return None

    async def read(self, key: str, start: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
        fd = await self._threads.run(translating(self._open_object), key)
        try:
            left = size
            while left is None or left > 0:
                count = READ_BLOCK if left is None else min(READ_BLOCK, left)
                block = await self._threads.run(translating(os.pread), fd, count, start)
                if not block:
                    return
                start += len(block)
                left = None if left is None else left - len(block)
                yield block
        finally:
            os.close(fd)

    async def read_back(self, key: str, hasher: ContentHasher) -> None:
        with tracing.step("store read_back", "internal"):
            await self._read_back(key, hasher)

    async def _read_back(self, key: str, hasher: ContentHasher) -> None:
        fd = await self._threads.run(translating(self._open_object), key)
        try:
            start, count = 0, READ_BACK_STEP
            while count == READ_BACK_STEP:
                count = await self._threads.run(
                    translating(read_each), fd, start, READ_BACK_STEP, READ_BLOCK, hasher.update
                )
                start += count
        finally:
            os.close(fd)

    def _open_object(self, key: str) -> int:
        try:
            return self._disk.open(self._layout.object(key))
        except GONE:
            raise self._disk.missing() from None

    async def delete(self, key: str) -> None:
        await self._threads.run(translating(self._disk.remove), self._layout.object(key))

    async def delete_many(self, keys: Sequence[str]) -> None:
        await self._threads.run(translating(self._remove_all), keys)

    def _remove_all(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._disk.remove(self._layout.object(key))


def _writing() -> tracing.Step:
    return tracing.step("store write", "internal")
