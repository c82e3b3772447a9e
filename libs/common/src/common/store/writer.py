"""Writes a stream of any length as one object of an S3 server and keeps almost none of it in memory.

S3 needs the length of every part before its first byte. In a form upload only the length of the whole body is known,
not that of the file in it; in a chunked body no length is known. So the source tells how many bytes are *certain* to
follow:

- while at least a whole part is certain, the part is begun with its length, and its bytes are passed on as they arrive;
- otherwise bytes are gathered in memory until they fill the smallest part that S3 accepts (5 MiB), which is written
  while the next ones are gathered. In a long stream, later parts are larger, because S3 accepts only 10,000 of them;
- the bytes gathered at the end become the last part, or the whole object if there were no parts.

In a form all bytes but the closing lines are certain, so at most a few KiB of a large file are gathered. Small bodies
are gathered completely; `GATHER_BUDGET` limits the bytes that all streams of a process gather together.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from common.cancelling import cancel
from common.errors import TooLarge, Unavailable
from common.store.digest import ContentHasher, PieceCheck
from common.store.interface import Lease, PartMismatch, Piece, Source, StoredPart, WrittenObject
from common.store.limits import GIB, MIB, MIN_PART_SIZE

PART_SIZE = GIB
# The most bytes that all streams of this process may gather together. A stream that would exceed the budget is refused
# and does not wait, because the streams with gathered bytes may be waiting for slow senders.
GATHER_BUDGET = 256 * MIB
# As long as this much of the budget is left, a stream gathers the next part while it writes one.
AMPLE = GATHER_BUDGET * 3 // 4
# After each so many parts, those of gathered bytes are 5 MiB larger: 10,000 are enough for about 268 GiB.
GROWS_AFTER = 1000
# Shorter blocks are joined: each object has tens of bytes of its own, which the budget does not count.
SHORT = 16 * 1024


class Requests(Protocol):
    """The calls of an S3 server that the writer needs."""

    async def put(self, key: str, blocks: AsyncIterable[bytes], size: int) -> None: ...

    async def create_multipart(self, key: str) -> str: ...

    def put_part(
        self, key: str, upload_id: str, number: int, blocks: AsyncIterable[bytes], size: int
    ) -> Coroutine[Any, Any, StoredPart]: ...

    async def complete_multipart(self, key: str, upload_id: str, parts: Sequence[StoredPart]) -> None: ...

    async def abort_multipart(self, key: str, upload_id: str) -> None: ...

    def read(self, key: str, start: int = 0, size: int | None = None) -> AsyncIterator[bytes]: ...


class _Budget:
    def __init__(self, size: int) -> None:
        self._left = size

    def take(self, size: int) -> None:
        if size > self._left:
            raise Unavailable("too many small uploads at the same moment")
        self._left -= size

    @property
    def is_ample(self) -> bool:
        return self._left >= AMPLE

    def give_back(self, size: int) -> None:
        self._left += size


_budget = _Budget(GATHER_BUDGET)


class StreamWriter:
    """Writes one stream. If it raises an error, it removes the written parts, provided that the store answers."""

    def __init__(
        self,
        store: Requests,
        key: str,
        source: Source,
        on_multipart: Callable[[str], Awaitable[None]],
        hasher: ContentHasher,
        max_size: int | None = None,
        lease: Lease | None = None,
    ) -> None:
        self._store, self._key, self._source, self._on_multipart = store, key, source, on_multipart
        self._max_size, self._lease = max_size, lease
        self._blocks = self._arriving()
        self._held = _Held()
        self._hasher = hasher
        self._parts: list[StoredPart] = []
        self._upload_id: str | None = None
        self._charged = 0
        self._writing: asyncio.Task[StoredPart] | None = None
        """The part of gathered bytes that is being written."""
        self._charged_for_writing = 0

    async def run(self) -> WrittenObject:
        try:
            await self._write()
        except BaseException:
            if self._writing:
                await cancel(self._writing)
            if self._upload_id:
                with suppress(Unavailable):
                    await asyncio.shield(self._store.abort_multipart(self._key, self._upload_id))
            raise
        finally:
            _budget.give_back(self._charged + self._charged_for_writing)
        return WrittenObject(self._hasher.size, self._hasher.sha256)

    async def _arriving(self) -> AsyncIterator[bytes]:
        size = 0
        async for block in self._source:
            size += len(block)
            if self._max_size is not None and size > self._max_size:
                raise TooLarge
            if self._lease:
                await self._lease.hold()
            yield block
        # A sender may wait before it says that this was all, and the last request to the store goes out only then.
        if self._lease:
            await self._lease.hold(last=True)

    async def _write(self) -> None:
        ended = False
        while not ended:
            certain = self._held.size + self._source.certain()
            if certain < self._least:
                ended = await self._gather()
            elif certain == self._held.size:
                await self._begin_writing()
            else:
                await self._write_part(min(certain, PART_SIZE))
        await self._finish()

    @property
    def _least(self) -> int:
        """The least size of a part that is not the last one."""
        return MIN_PART_SIZE * (1 + len(self._parts) // GROWS_AFTER)

    async def _gather(self) -> bool:
        """Gather bytes until they fill a part, or enough more are certain. Returns True if the stream has ended."""
        while self._held.size + self._source.certain() < self._least:
            if self._writing and (self._writing.done() or not _budget.is_ample):
                await self._end_writing()
            block = await anext(self._blocks, None)
            if block is None:
                return True
            _budget.take(len(block))
            self._charged += len(block)
            self._hasher.update(block)
            self._held.add(block)
        return False

    async def _begin_writing(self) -> None:
        """Write the gathered bytes as a part, which goes on while the next ones are gathered."""
        await self._end_writing()
        upload_id = await self._begun()
        size, blocks = self._held.take()
        self._charged_for_writing, self._charged = self._charged, 0
        number = len(self._parts) + 1
        putting = self._store.put_part(self._key, upload_id, number, _each(blocks), size)
        self._writing = asyncio.ensure_future(putting)

    async def _end_writing(self) -> None:
        """Wait for the part that is being written, if any."""
        if self._writing is None:
            return
        self._parts.append(await self._writing)
        _budget.give_back(self._charged_for_writing)
        self._writing, self._charged_for_writing = None, 0

    async def _begun(self) -> str:
        """The id of the multipart upload, which the first part begins."""
        if self._upload_id is None:
            self._upload_id = await self._store.create_multipart(self._key)
            await self._on_multipart(self._upload_id)
        return self._upload_id

    async def _write_part(self, size: int) -> None:
        """Write a part of the held bytes and of those that follow, as they arrive."""
        await self._end_writing()
        upload_id, number = await self._begun(), len(self._parts) + 1
        part = await self._store.put_part(self._key, upload_id, number, self._exactly(size), size)
        self._parts.append(part)
        _budget.give_back(self._charged)
        self._charged = 0

    async def _exactly(self, size: int) -> AsyncIterator[bytes]:
        """The held bytes and then those of the stream, `size` in total. The rest of the last block is held again."""
        held, blocks = self._held.take()
        for block in blocks:
            yield block
        left = size - held
        while left:
            block = await anext(self._blocks, None)
            if block is None:
                return
            self._hasher.update(block)
            if len(block) > left:
                self._held.add(block[left:])
                block = block[:left]
            left -= len(block)
            yield block

    async def _finish(self) -> None:
        """Write the held bytes as the last part, or as the whole object if there were no parts."""
        if self._upload_id is None:
            size, blocks = self._held.take()
            await self._store.put(self._key, _each(blocks), size)
            return
        if self._held.size:
            await self._write_part(self._held.size)
        await self._end_writing()
        if self._lease:
            # The last parts may have taken longer than the right lasts.
            await self._lease.hold(last=True)
        await self._store.complete_multipart(self._key, self._upload_id, self._parts)


class _Held:
    """Blocks that wait to be written."""

    def __init__(self) -> None:
        self.size = 0
        self._blocks: list[bytes] = []
        self._short = bytearray()

    def add(self, block: bytes) -> None:
        self.size += len(block)
        if len(block) >= SHORT:
            self._join()
            self._blocks.append(block)
            return
        self._short += block
        if len(self._short) >= SHORT:
            self._join()

    def take(self) -> tuple[int, list[bytes]]:
        """Their size, and the blocks, which are not held any more."""
        self._join()
        taken = self.size, self._blocks
        self.size, self._blocks = 0, []
        return taken

    def _join(self) -> None:
        if self._short:
            self._blocks.append(bytes(self._short))
            self._short.clear()


async def _each(blocks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


class Joined:
    """Pieces as one stream. Raises `PartMismatch` at the end of one that has not the digest that it must have."""

    def __init__(self, store: Requests, pieces: Sequence[Piece], hasher: ContentHasher) -> None:
        """`hasher`: the writer of the stream feeds it with each block before it takes the next one."""
        self._store, self._pieces, self._hasher = store, pieces, hasher
        self._left = sum(piece.size for piece in pieces)

    def certain(self) -> int:
        return self._left

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            check = PieceCheck(self._hasher, piece.sha256)
            async for block in self._store.read(piece.key, size=piece.size):
                self._left -= len(block)
                check.update(block)
                yield block
            if not check.is_right(piece.size):
                raise PartMismatch
