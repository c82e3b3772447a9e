"""Streams of unknown length on an S3 server: what is gathered, written and given up. The server is a stand-in."""

import asyncio
import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence

import pytest

from common.errors import Unavailable
from common.store import ContentHasher, StoredPart
from common.store import writer as writing
from common.store.interface import Lease
from common.store.limits import MIB
from common.store.writer import StreamWriter

CONTENT = b"".join(bytes([number]) * MIB for number in range(12))


class Server:
    """Keeps parts. Writing the first one ends when `goes_on` is set, with `error` if there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.goes_on = asyncio.Event()
        self.error = error
        self.parts: dict[int, bytes] = {}
        self.blocks = 0
        self.aborted = self.completed = False

    async def create_multipart(self, key: str) -> str:
        return "upload"

    async def put(self, key: str, blocks: AsyncIterable[bytes], size: int) -> None:
        raise AssertionError("larger than a part")

    async def put_part(
        self, key: str, upload_id: str, number: int, blocks: AsyncIterable[bytes], size: int
    ) -> StoredPart:
        found = [block async for block in blocks]
        content = b"".join(found)
        assert len(content) == size
        self.blocks += len(found)
        if number == 1:
            await self.goes_on.wait()
            if self.error:
                raise self.error
        self.parts[number] = content
        return StoredPart(number, size, str(number))

    async def complete_multipart(self, key: str, upload_id: str, parts: Sequence[StoredPart]) -> None:
        assert [part.number for part in parts] == sorted(self.parts)
        self.completed = True

    async def abort_multipart(self, key: str, upload_id: str) -> None:
        self.aborted = True

    async def read(self, key: str, start: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
        raise AssertionError("nothing is read")
        yield b""


class Source:
    """Blocks, usually of 1 MiB, whose number is not known before. `arriving` is told which one comes next."""

    def __init__(self, arriving: Callable[[int], object], size: int = MIB) -> None:
        self._arriving, self._size = arriving, size

    def certain(self) -> int:
        return 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(CONTENT), self._size):
            self._arriving(at // self._size)
            yield CONTENT[at : at + self._size]
            await asyncio.sleep(0)


async def written(
    server: Server, arriving: Callable[[int], object], size: int = MIB, lease: Lease | None = None
) -> bytes:
    """Write the stream; its digest. Nothing may be left of the budget that it took."""

    async def on_multipart(multipart_id: str) -> None:
        assert multipart_id == "upload"

    try:
        async with asyncio.timeout(10):
            source = Source(arriving, size)
            writer = StreamWriter(server, "key", source, on_multipart, ContentHasher(), lease=lease)
            return (await writer.run()).sha256
    finally:
        assert writing._budget._left == writing.GATHER_BUDGET


async def test_a_part_is_gathered_while_the_one_before_it_is_written() -> None:
    server = Server()

    def arrive(number: int) -> None:
        if number == 8:
            assert server.parts == {}
            server.goes_on.set()

    assert await written(server, arrive) == hashlib.sha256(CONTENT).digest()
    assert b"".join(server.parts[number] for number in sorted(server.parts)) == CONTENT
    assert [len(server.parts[number]) // MIB for number in (1, 2, 3)] == [5, 5, 2]


async def test_nothing_is_gathered_ahead_when_many_streams_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "AMPLE", writing.GATHER_BUDGET + 1)
    server = Server()
    server.goes_on.set()

    def arrive(number: int) -> None:
        assert len(server.parts) >= number // 5, "a part is being written"

    assert await written(server, arrive) == hashlib.sha256(CONTENT).digest()


@pytest.mark.parametrize("fails", ["source", "server"])
async def test_nothing_stays_of_a_stream_that_fails_while_a_part_is_written(fails: str) -> None:
    server = Server(Unavailable() if fails == "server" else None)

    def arrive(number: int) -> None:
        if number == 8 and fails == "source":
            raise ConnectionError
        if number == 8:
            server.goes_on.set()

    with pytest.raises(ConnectionError if fails == "source" else Unavailable):
        await written(server, arrive)
    assert (server.parts, server.aborted) == ({}, True)


async def test_a_part_that_failed_is_noticed_by_the_next_block() -> None:
    server = Server(Unavailable())
    came: list[int] = []

    def arrive(number: int) -> None:
        came.append(number)
        if number == 6:
            server.goes_on.set()

    with pytest.raises(Unavailable):
        await written(server, arrive)
    assert came[-1] <= 7, "all of the next part was taken"


async def test_short_blocks_are_joined() -> None:
    server = Server()
    server.goes_on.set()
    assert await written(server, lambda _: None, size=1000) == hashlib.sha256(CONTENT).digest()
    assert server.blocks < len(CONTENT) // 10_000


async def test_the_parts_of_a_long_stream_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "MIN_PART_SIZE", MIB)
    monkeypatch.setattr(writing, "GROWS_AFTER", 2)
    server = Server()
    server.goes_on.set()
    assert await written(server, lambda _: None) == hashlib.sha256(CONTENT).digest()
    assert b"".join(server.parts[number] for number in sorted(server.parts)) == CONTENT
    assert len(server.parts) < len(CONTENT) // MIB
    assert max(map(len, server.parts.values())) > MIB


async def test_a_right_that_is_lost_while_the_last_part_is_written_completes_nothing() -> None:
    server = Server()
    server.goes_on.set()

    class Lost(Exception):
        """Another one writes."""

    class Right:
        async def hold(self, *, last: bool = False) -> None:
            self.check()

        def check(self) -> None:
            if 3 in server.parts:
                raise Lost

    with pytest.raises(Lost):
        await written(server, lambda _: None, lease=Right())
    assert (sorted(server.parts), server.completed, server.aborted) == ([1, 2, 3], False, True)
