"""Parts of what lies at a stranger's URL."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from common.outbound.client import Outbound, RemoteUnavailable
from tests.integration.running_remote import PATIENCE, Request, Respond, answers, fetched, opened, remote

CONTENT = bytes(range(256)) * 1024


@pytest.fixture
async def outbound() -> AsyncGenerator[Outbound]:
    async with opened("127.0.0.0/8", stall_seconds=PATIENCE) as outbound:
        yield outbound


def ranged(content: bytes) -> Respond:
    """A server of `content` that knows ranges."""

    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        first, last = (int(number) for number in request.headers["range"].removeprefix("bytes=").split("-"))
        part = content[first : last + 1]
        head = f"Content-Range: bytes {first}-{first + len(part) - 1}/{len(content)}\nContent-Length: {len(part)}\n"
        await answers("206 Partial Content", head, part)(request, writer)

    return respond


async def test_a_part_says_where_it_begins_and_of_how_much(outbound: Outbound) -> None:
    async with (
        remote(ranged(b"0123456789")) as server,
        outbound.get(server.url(), {"Range": "bytes=4-6"}) as answer,
    ):
        assert (answer.status, answer.length, answer.start, answer.size) == (206, 3, 4, 10)
        assert b"".join([block async for block in answer.blocks()]) == b"456"


@pytest.mark.parametrize("value", ["", "Content-Range: bytes */10\n", "Content-Range: chars 0-1/2\n"])
async def test_a_part_that_does_not_say_where_it_begins_is_refused(outbound: Outbound, value: str) -> None:
    async with remote(answers("206 Partial Content", f"{value}Content-Length: 2\n", b"ok")) as server:
        with pytest.raises(RemoteUnavailable, match="which range"):
            await fetched(outbound, server.url())


@pytest.mark.parametrize("respond", [ranged(CONTENT), answers("200 OK", f"Content-Length: {len(CONTENT)}\n", CONTENT)])
@pytest.mark.parametrize(
    ("start", "length"), [(0, 1), (0, len(CONTENT)), (100_000, 100_000), (len(CONTENT) - 1, 1), (5, 0)]
)
async def test_a_range_is_read_from_any_server(outbound: Outbound, respond: Respond, start: int, length: int) -> None:
    async with remote(respond) as server:
        read = b"".join([block async for block in outbound.read(server.url(), start, length)])
    assert read == CONTENT[start : start + length]
    assert [request.headers["range"] for request in server.requests] == (
        [f"bytes={start}-{start + length - 1}"] if length else []
    )


@pytest.mark.parametrize("respond", [ranged(CONTENT), answers("200 OK", f"Content-Length: {len(CONTENT)}\n", CONTENT)])
async def test_a_range_that_is_not_all_there_is_told(outbound: Outbound, respond: Respond) -> None:
    async with remote(respond) as server:
        with pytest.raises(RemoteUnavailable, match="shorter"):
            _ = [block async for block in outbound.read(server.url(), len(CONTENT) - 10, 11)]


async def test_another_range_than_asked_is_not_taken_for_it(outbound: Outbound) -> None:
    later = answers("206 Partial Content", "Content-Range: bytes 5-9/10\nContent-Length: 5\n", b"56789")
    async with remote(later) as server:
        with pytest.raises(RemoteUnavailable, match="another range"):
            _ = [block async for block in outbound.read(server.url(), 3, 4)]


async def test_a_part_that_begins_before_and_ends_after_what_was_asked_is_cut(outbound: Outbound) -> None:
    more = answers("206 Partial Content", "Content-Range: bytes 2-9/10\nContent-Length: 8\n", b"23456789")
    async with remote(more) as server:
        assert b"".join([block async for block in outbound.read(server.url(), 3, 4)]) == b"3456"
