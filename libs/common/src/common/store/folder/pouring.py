"""Brings the blocks of a body to the thread that writes them.

The small blocks of a socket are gathered to about 1 MiB, which takes one hop to a thread. While one such batch is
hashed and written there, the next is gathered, and no more: a slow disk slows the sender. All bodies of a process
together hold little more than `BUDGET`; when that is used up, batches become smaller.
"""

import asyncio
from collections.abc import AsyncIterable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from common.errors import TooLarge
from common.store.body import BodyLength
from common.store.folder.files import MOST_BLOCKS, FileWriter
from common.store.interface import Lease
from common.store.limits import MIB

BATCH = MIB
BUDGET = 64 * MIB
THREADS = 8
# How often a writer's right is looked at while the disk works.
HOLD_SECONDS = 1.0

P = ParamSpec("P")
T = TypeVar("T")


class Threads:
    """The threads in which one store works, and the bytes that wait for them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, "folder-store")
        self.held = 0

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "asyncio.Future[T]":
        return asyncio.wrap_future(self._pool.submit(work, *args, **kwargs))

    def close(self) -> None:
        self._pool.shutdown(wait=True)


class _Batch:
    """Blocks that are gathered."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self.blocks: list[bytes] = []
        self.size = 0

    @property
    def is_full(self) -> bool:
        return self.size >= BATCH or len(self.blocks) >= MOST_BLOCKS or self._threads.held > BUDGET

    def add(self, block: bytes) -> None:
        self.blocks.append(block)
        self.size += len(block)
        self._threads.held += len(block)

    def drop(self) -> None:
        self._threads.held -= self.size
        self.blocks, self.size = [], 0


async def pour(
    threads: Threads,
    blocks: AsyncIterable[bytes],
    writer: FileWriter,
    lease: Lease | None,
    *,
    size: int | None = None,
    max_size: int | None = None,
) -> int:
    """Write all blocks and finish; the number of bytes. After an error nothing of them counts.

    Raises `BodyLength` unless there are `size` bytes, and `TooLarge` beyond `max_size`.
    """
    received, batch, writing = 0, _Batch(threads), None
    try:
        async for block in blocks:
            received += len(block)
            if size is not None and received > size:
                raise BodyLength(size, received)
            if max_size is not None and received > max_size:
                raise TooLarge
            if lease:
                await lease.hold()
            batch.add(block)
            if batch.is_full:
                if writing:
                    await _ended(writing, lease)
                writing = _begin(threads, writer.write, batch)
                batch = _Batch(threads)
        if size is not None and received < size:
            raise BodyLength(size, received)
        if lease:
            await lease.hold(last=True)
        if writing:
            await _ended(writing, lease)
        await _ended(_begin(threads, writer.finish, batch), lease)
    except BaseException:
        batch.drop()
        # It waits in its thread for a write that is under way.
        await asyncio.shield(threads.run(writer.drop))
        raise
    return received


def _begin(threads: Threads, work: Callable[[Sequence[bytes]], None], batch: _Batch) -> "asyncio.Future[None]":
    """Let a thread work on a batch, which is held no longer when that is over."""
    doing = threads.run(work, batch.blocks)

    def end(done: "asyncio.Future[None]") -> None:
        batch.drop()
        if not done.cancelled():
            # Seen, also if nobody waits for it any more.
            done.exception()

    doing.add_done_callback(end)
    return doing


async def _ended(doing: "asyncio.Future[None]", lease: Lease | None) -> None:
    """Wait for a thread. Meanwhile the writer's right is kept, however slow the disk is."""
    while not doing.done():
        await asyncio.wait([doing], timeout=HOLD_SECONDS if lease else None)
        if lease and not doing.done():
            await lease.hold()
    doing.result()
