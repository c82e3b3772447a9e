"""Fetching one content: into a file by several connections at once, or as a stream in order."""

import asyncio
import functools
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from waystation.connection import Connection
from waystation.errors import BadAnswer, Damaged, Temporary
from waystation.hashing import Running, repr_digest
from waystation.offers import Facts, Place, facts_of
from waystation.partial import BLOCK, Partial
from waystation.progress import Progress, Step
from waystation.tasks import in_thread, side_by_side

FLUSH_SECONDS = 0.5


class Download:
    """The way of one content into a file."""

    def __init__(self, connection: Connection, place: Place, target: Path, *, key: str, progress: Progress) -> None:
        """`key`: of the steps of `progress`."""
        self._connection, self._place, self._target = connection, place, target
        self._key, self._progress = key, progress
        self._said: bytes | None = None
        """The SHA-256 that came with the content. A text that may be fetched once only is told by nothing before."""

    async def fetch(
        self, partial: Partial, connections: int, *, overwrite: bool = False, expected: bytes | None = None
    ) -> Path:
        """Fetch what is missing of a partial file, compare its SHA-256, and return the path under which it is kept.

        `expected`: the SHA-256 that it must have. Raises `Damaged`, `NoRoom`, and `Temporary` when nothing gets further
        any more; then it can be continued.
        """
        try:
            await in_thread(partial.open)
            digest = await self._fill(partial, connections)
            said = partial.facts.sha256 or self._said
            if digest != (expected or said) or digest != (said or expected):
                partial.drop()
                raise Damaged
            return await in_thread(partial.keep, overwrite=overwrite)
        finally:
            partial.close()

    async def _fill(self, partial: Partial, connections: int) -> bytes | None:
        """Fetch all pieces, the first ones first, and hash them in order meanwhile."""
        self._show(partial)
        if not partial.facts.size:
            answer = await self._connection.request("GET", self._place.path, headers=self._place.headers)
            self._said = repr_digest(answer.headers.get("repr-digest"))
        missing = [index for index in range(partial.count) if partial.got[index] < partial.length(index)]
        # The first one alone: where downloads are counted, it takes the use that covers the others.
        if missing and not partial.done:
            await self._piece(partial, missing.pop(0))
        turn = asyncio.Lock()

        async def piece(index: int) -> None:
            await self._piece(partial, index)
            if not turn.locked():
                async with turn:
                    await in_thread(partial.hash_whole_pieces)

        await side_by_side((functools.partial(piece, index) for index in missing), connections)
        return await in_thread(partial.hash_whole_pieces)

    async def _piece(self, partial: Partial, index: int) -> None:
        attempts = self._connection.attempts()
        while (got := partial.got[index]) < partial.length(index):
            try:
                await self._part(partial, index)
            except Temporary as error:
                if partial.got[index] > got:
                    attempts.progressed()
                await attempts.pause(error)

    async def _part(self, partial: Partial, index: int) -> None:
        """Fetch what is missing of a piece, as far as the connection lasts."""
        start = index * partial.piece + partial.got[index]
        end = index * partial.piece + partial.length(index)
        async with AsyncExitStack() as opened:
            answer = await opened.enter_async_context(_range(self._connection, self._place, partial.facts, start, end))
            self._said = repr_digest(answer.headers.get("repr-digest")) or self._said
            writing = _Writing(partial, index, end - start, lambda: self._show(partial))
            # Also what came before the connection broke off.
            opened.push_async_callback(writing.finish)
            async for block in answer.aiter_raw():
                await writing.add(block)

    def _show(self, partial: Partial) -> None:
        self._progress(Step(self._key, self._target.name, partial.done, partial.facts.size))


class _Writing:
    """Collects what arrives of a piece, and writes it in a thread while more arrives."""

    def __init__(self, partial: Partial, index: int, missing: int, show: Callable[[], None]) -> None:
        self._partial, self._index, self._missing, self._show = partial, index, missing, show
        self._collected = bytearray()
        self._work: asyncio.Task[None] | None = None
        self._since = asyncio.get_running_loop().time()

    async def add(self, block: bytes) -> None:
        """Take a block; written at once if there is enough, or if the last one was a while ago."""
        self._collected += block
        if len(self._collected) >= BLOCK or asyncio.get_running_loop().time() >= self._since + FLUSH_SECONDS:
            await self._flush()

    async def finish(self) -> None:
        """Write the rest. Raises `NoRoom`."""
        await self._flush()
        await self._written()

    async def _flush(self) -> None:
        await self._written()
        block, self._collected = self._collected[: self._missing], bytearray()
        self._missing -= len(block)
        self._since = asyncio.get_running_loop().time()
        if block:
            self._work = asyncio.create_task(in_thread(self._partial.write, self._index, block))

    async def _written(self) -> None:
        work, self._work = self._work, None
        if work:
            await work
            self._show()


async def pipe(
    connection: Connection, place: Place, write: Callable[[bytes], object], *, key: str, name: str, progress: Progress
) -> None:
    """Hand a content to `write`, in order. Raises `Damaged` at its end if it was not what was sent."""
    facts = await facts_of(connection, place)
    attempts, running, said = connection.attempts(), Running(), facts.sha256
    progress(Step(key, name, 0, facts.size))
    while running.at < facts.size:
        before = running.at
        try:
            async with _range(connection, place, facts, running.at, facts.size) as answer:
                said = said or repr_digest(answer.headers.get("repr-digest"))
                async for block in answer.aiter_raw(BLOCK):
                    await in_thread(write, block)
                    running.feed(running.at, block)
                    progress(Step(key, name, running.at, facts.size))
        except Temporary as error:
            if running.at > before:
                attempts.progressed()
            await attempts.pause(error)
    if running.digest() != said:
        raise Damaged


@asynccontextmanager
async def _range(
    connection: Connection, place: Place, facts: Facts, start: int, end: int
) -> AsyncGenerator[httpx.Response]:
    """The answer with the bytes from `start` up to `end`. Raises `Damaged` if the content is another one by now."""
    headers = {**place.headers, "Range": f"bytes={start}-{end - 1}"}
    async with connection.stream("GET", place.path, headers=headers) as answer:
        if answer.headers.get("etag") != facts.tag:
            raise Damaged("There is other content under this code by now. Run the same again.")
        is_whole = answer.status_code == 200 and (start, end) == (0, facts.size)
        if not is_whole and answer.headers.get("content-range") != f"bytes {start}-{end - 1}/{facts.size}":
            raise BadAnswer
        yield answer
