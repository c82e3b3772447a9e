"""Connections that break off: stored parts are not fetched again, and contents are never mixed."""

import asyncio
import hashlib
import secrets

import pytest

from tests.integration.running_remote import Request, Respond, answers, remote
from tests.integration.upload.fetches.halting import one_file_is_left
from tests.integration.upload.fetches.running_fetches import (
    NOW,
    PART_SIZE,
    STRONG,
    YEAR_OLD,
    Bench,
    Content,
    ranges,
    serving,
)
from upload_service.fetches import running as fetching
from upload_service.fetches.model import FetchState

SIZE = 2 * PART_SIZE + 7
REST = f"bytes={PART_SIZE}-"
WEAK = 'ETag: W/"1"\n'
TIME = f"Last-Modified: {YEAR_OLD}\nDate: {NOW}\n"


@pytest.mark.parametrize(
    ("validators", "condition"),
    [(STRONG, '"1"'), (STRONG + TIME, '"1"'), (TIME, YEAR_OLD)],
    ids=["tag", "both", "time"],
)
async def test_only_the_rest_is_fetched_when_the_content_can_be_recognised(
    bench: Bench, validators: str, condition: str
) -> None:
    data = secrets.token_bytes(SIZE)
    async with serving(data, validators=validators, cuts=[PART_SIZE + 9, PART_SIZE + 3]) as (server, _):
        done = await bench.fetch(server.url(), sha256=hashlib.sha256(data).digest())
    assert await bench.content(done) == data
    assert ranges(server) == [None, REST, f"bytes={2 * PART_SIZE}-"]
    assert [request.headers.get("if-range") for request in server.requests] == [None, condition, condition]
    await one_file_is_left(bench)


@pytest.mark.parametrize(
    "validators",
    ["", WEAK, WEAK + TIME, f"Last-Modified: {NOW}\nDate: {NOW}\n", f"Last-Modified: {YEAR_OLD}\n"],
    ids=["nothing", "weak", "weak with a time", "too young", "no date"],
)
async def test_all_is_fetched_again_when_the_content_cannot_be_recognised(bench: Bench, validators: str) -> None:
    data = secrets.token_bytes(SIZE)
    async with serving(data, validators=validators, cuts=[PART_SIZE + 9]) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, None]
    await one_file_is_left(bench)


@pytest.mark.parametrize("says_length", [True, False])
async def test_content_no_longer_than_a_part_is_fetched_again(bench: Bench, says_length: bool) -> None:
    data = secrets.token_bytes(1000)
    # Without a length, only the chunked encoding shows that the body has not ended.
    cut = answers("200 OK", STRONG + "Transfer-Encoding: chunked\n", b"5\r\nabcde\r\n")
    async with serving(data, cuts=[10] if says_length else []) as (server, whole):
        server.respond = whole if says_length else after(cut, whole)
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, None]
    await one_file_is_left(bench)


def after(*responses: Respond) -> Respond:
    """One response after the other, then always the last one."""
    left = list(responses)

    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(request, writer)

    return respond


def partial(data: bytes, start: int, total: int, validators: str = STRONG) -> Respond:
    """A range of some content, whatever was asked for."""
    said = f"{validators}Content-Length: {len(data)}\nContent-Range: bytes {start}-{start + len(data) - 1}/{total}\n"
    return answers("206 Partial Content", said, data)


OTHER = secrets.token_bytes(SIZE)


@pytest.mark.parametrize(
    "misbehaves",
    [
        pytest.param(partial(OTHER[PART_SIZE:], PART_SIZE, SIZE, 'ETag: "2"\n'), id="another tag"),
        pytest.param(partial(OTHER[PART_SIZE:], PART_SIZE, SIZE, ""), id="no tag"),
        pytest.param(partial(OTHER[PART_SIZE:], PART_SIZE, SIZE, WEAK + TIME), id="weak tag"),
        pytest.param(partial(OTHER[PART_SIZE:] + b"a", PART_SIZE, SIZE + 1), id="another total"),
        pytest.param(partial(OTHER[PART_SIZE + 1 :], PART_SIZE + 1, SIZE), id="a later start"),
        pytest.param(partial(OTHER[PART_SIZE - 1 :], PART_SIZE - 1, SIZE), id="an earlier start"),
        pytest.param(partial(OTHER[:100], 0, SIZE), id="a part from the start"),
        pytest.param(answers("416 Range Not Satisfiable", "Content-Length: 0\n"), id="416"),
        pytest.param(answers("412 Precondition Failed", "Content-Length: 0\n"), id="412"),
    ],
)
async def test_what_is_not_the_rest_of_the_same_content_is_never_mixed_with_it(
    bench: Bench, misbehaves: Respond
) -> None:
    data = secrets.token_bytes(SIZE)
    async with serving(data, cuts=[PART_SIZE + 9], misbehaves=misbehaves) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server)[:2] == [None, REST]
    assert ranges(server)[-1] is None
    await one_file_is_left(bench)


async def test_content_that_changed_begins_anew_in_the_same_answer(bench: Bench) -> None:
    """A server that honours `If-Range` answers 200 with all of the new content; so does one that knows no ranges."""
    data = secrets.token_bytes(SIZE + 1)
    old, new = (
        Content(secrets.token_bytes(SIZE), cuts=[PART_SIZE + 9]),
        Content(data, 'ETag: "2"\n', cuts=[2 * PART_SIZE]),
    )
    async with remote(after(old, new)) as server:
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, REST, f"bytes={2 * PART_SIZE}-"]
    assert server.requests[2].headers["if-range"] == '"2"'
    await one_file_is_left(bench)


async def test_a_server_without_ranges_is_asked_for_all_again(bench: Bench) -> None:
    data = secrets.token_bytes(SIZE)
    async with serving(data, cuts=[PART_SIZE + 9], knows_ranges=False) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, REST]
    await one_file_is_left(bench)


async def test_a_range_that_is_answered_in_parts_is_gone_on_with(bench: Bench) -> None:
    """A server may send less than the range asked for, and end there as if all were well."""
    data = secrets.token_bytes(SIZE)
    rest = after(
        partial(data[PART_SIZE : 2 * PART_SIZE + 3], PART_SIZE, SIZE),
        partial(data[2 * PART_SIZE :], 2 * PART_SIZE, SIZE),
    )
    async with serving(data, cuts=[PART_SIZE], misbehaves=rest) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, REST, f"bytes={2 * PART_SIZE}-"]


async def test_the_rest_of_what_is_known_by_its_time_need_not_say_the_time_again(bench: Bench) -> None:
    data = secrets.token_bytes(SIZE)
    rest = partial(data[PART_SIZE:], PART_SIZE, SIZE, f"Date: {NOW}\n")
    async with serving(data, validators=TIME, cuts=[PART_SIZE + 9], misbehaves=rest) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, REST]
    assert server.requests[1].headers["if-range"] == YEAR_OLD


async def test_a_part_of_nobody_knows_how_much_is_not_taken_for_the_content(bench: Bench) -> None:
    part = answers("206 Partial Content", "Content-Length: 3\nContent-Range: bytes 0-2/*\n", b"abc")
    async with remote(after(part, answers("200 OK", "Content-Length: 10\n", b"0123456789"))) as server:
        assert await bench.content(await bench.fetch(server.url())) == b"0123456789"


async def test_an_answer_of_another_length_than_it_says_is_not_taken_for_the_content(bench: Bench) -> None:
    """A range that was not asked for, which ends as if it were all."""
    whole = answers("200 OK", "Content-Length: 10\n", b"0123456789")
    async with remote(after(partial(b"abc", 0, 10), whole)) as server:
        assert await bench.content(await bench.fetch(server.url())) == b"0123456789"
    assert len(server.requests) == 2


@pytest.mark.parametrize("size", [3, SIZE])
async def test_what_comes_after_the_announced_length_is_never_kept(bench: Bench, size: int) -> None:
    data = secrets.token_bytes(size)
    async with remote(answers("200 OK", f"Content-Length: {size}\n", data + b"more")) as server:
        assert await bench.content(await bench.fetch(server.url())) == data
    assert len(server.requests) == 1


async def test_parts_in_between_restart_the_count_of_failures(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "ATTEMPTS", 2)
    data = secrets.token_bytes(3 * PART_SIZE + 5)
    async with serving(data, cuts=[PART_SIZE, PART_SIZE, PART_SIZE]) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert len(server.requests) == 4


async def test_bytes_that_make_no_part_do_not(bench: Bench) -> None:
    async with serving(bytes(SIZE), cuts=[PART_SIZE, *(PART_SIZE - 10 + number for number in range(9))]) as (server, _):
        fetch = await bench.fetch(server.url())
    assert (fetch.state, fetch.error) == (FetchState.FAILED, "remote_unavailable")
    assert ranges(server) == [None] + [REST] * (fetching.ATTEMPTS - 1)


async def test_content_that_is_another_one_each_time_comes_to_an_end(bench: Bench) -> None:
    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        tag = f'ETag: "{secrets.token_hex(4)}"\n'
        await Content(bytes(SIZE), tag, cuts=[PART_SIZE + 1])(request, writer)

    async with remote(respond) as server:
        fetch = await bench.fetch(server.url())
    assert (fetch.state, fetch.error) == (FetchState.FAILED, "remote_unavailable")
    assert len(server.requests) == fetching.ATTEMPTS
    await bench.sweep()
    assert await bench.left() == []
