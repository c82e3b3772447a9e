"""Limits on the exchange with a mirror: on time, so that a mirror that hangs counts as down, and on length."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager

from common.store import SizedBody
from upload_service.mirrors.drivers.interface import MirrorDown, MirrorRefused, ReplicaLost


@asynccontextmanager
async def bounded(seconds: float, given_up: Callable[[], None] | None = None) -> AsyncGenerator[asyncio.Timeout]:
    """Raise `MirrorDown` when the block takes longer than `seconds`, or than its timeout is rescheduled to.

    `given_up` is called in that case.
    """
    timeout = asyncio.timeout(seconds)
    try:
        async with timeout:
            yield timeout
    except TimeoutError:
        if timeout.expired():
            if given_up:
                given_up()
            raise MirrorDown from None
        raise


@asynccontextmanager
async def sending(
    blocks: AsyncIterable[bytes], size: int, seconds: float, given_up: Callable[[], None] | None = None
) -> AsyncGenerator[SizedBody]:
    """A body to send. The mirror has `seconds` to take each of its blocks, and for its answer after the last.

    The time spent waiting for the source does not count. When the source fails, its own error is raised, whatever the
    client library made of it.
    """
    async with bounded(seconds, given_up) as deadline:
        body = SizedBody(_timed(blocks, deadline, seconds), size)
        try:
            yield body
        except Exception as error:
            if body.failure is not None:
                raise body.failure from None
            # A mirror that answers a write with `not found` has no such bucket, share or folder.
            if isinstance(error, ReplicaLost):
                raise MirrorRefused from None
            raise


async def _timed(blocks: AsyncIterable[bytes], deadline: asyncio.Timeout, seconds: float) -> AsyncIterator[bytes]:
    source = aiter(blocks)
    while True:
        _reschedule(deadline, None)
        block = await anext(source, None)
        _reschedule(deadline, seconds)
        if block is None:
            return
        yield block


def _reschedule(deadline: asyncio.Timeout, seconds: float | None) -> None:
    if not deadline.expired():
        deadline.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)


async def receiving(blocks: AsyncIterable[bytes], seconds: float) -> AsyncIterator[bytes]:
    """The blocks that a mirror sends. Each has `seconds` to arrive."""
    source = aiter(blocks)
    while True:
        async with bounded(seconds):
            block = await anext(source, None)
        if block is None:
            return
        yield block


async def cut(blocks: AsyncIterable[bytes], skip: int, length: int | None) -> AsyncIterator[bytes]:
    """The content after its first `skip` bytes, at most `length` bytes of it."""
    async for block in blocks:
        passed = block[skip:]
        skip -= len(block) - len(passed)
        if length is not None:
            passed = passed[:length]
            length -= len(passed)
        if passed:
            yield passed
        if length == 0:
            return
