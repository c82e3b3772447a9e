"""Connections that break off: the next one brings what is missing, and contents are never mixed."""

import asyncio
import hashlib
import secrets

import pytest

from tests.integration.running_remote import Request, Respond, answers, remote
from tests.integration.upload.fetches.halting import one_file_is_left
from tests.integration.upload.fetches.running_fetches import (
    CONSUMED_SECONDS,
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

SIZE = 2 * PART_SIZE + 7
CUT = PART_SIZE + 9
REST = f"bytes={CUT}-"
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
    async with serving(data, validators=validators, cuts=[CUT, PART_SIZE - 50]) as (server, _):
        done = await bench.fetch(server.url(), sha256=hashlib.sha256(data).digest())
    assert await bench.content(done) == data
    assert ranges(server) == [None, REST, f"bytes={CUT + PART_SIZE - 50}-"]
    assert [request.headers.get("if-range") for request in server.requests] == [None, condition, condition]
    await one_file_is_left(bench)


@pytest.mark.parametrize(
    "validators",
    ["", WEAK, WEAK + TIME, f"Last-Modified: {NOW}\nDate: {NOW}\n", f"Last-Modified: {YEAR_OLD}\n"],
    ids=["nothing", "weak", "weak with a time", "too young", "no date"],
)
async def test_all_is_fetched_again_when_the_content_cannot_be_recognised(bench: Bench, validators: str) -> None:
    data = secrets.token_bytes(SIZE)
    async with serving(data, validators=validators, cuts=[CUT]) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, None]
    await one_file_is_left(bench)


@pytest.mark.parametrize("says_length", [True, False])
async def test_content_no_longer_than_a_part_is_resumed(bench: Bench, says_length: bool) -> None:
    data = secrets.token_bytes(1000)
    # Without a length, only the chunked encoding shows that the body has not ended.
    cut = answers("200 OK", STRONG + "Transfer-Encoding: chunked\n", b"5\r\n" + data[:5] + b"\r\n")

    async def cut_off(request: Request, writer: asyncio.StreamWriter) -> None:
        await cut(request, writer)
        await writer.drain()
        await asyncio.sleep(CONSUMED_SECONDS)

    async with serving(data, cuts=[10] if says_length else []) as (server, whole):
        server.respond = whole if says_length else after(cut_off, whole)
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, "bytes=10-" if says_length else "bytes=5-"]
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
        pytest.param(partial(OTHER[CUT:], CUT, SIZE, 'ETag: "2"\n'), id="another tag"),
        pytest.param(partial(OTHER[CUT:], CUT, SIZE, ""), id="no tag"),
        pytest.param(partial(OTHER[CUT:], CUT, SIZE, WEAK + TIME), id="weak tag"),
        pytest.param(partial(OTHER[CUT:] + b"a", CUT, SIZE + 1), id="another total"),
        pytest.param(partial(OTHER[CUT + 1 :], CUT + 1, SIZE), id="a later start"),
        pytest.param(partial(OTHER[CUT - 1 :], CUT - 1, SIZE), id="an earlier start"),
        pytest.param(partial(OTHER[:100], 0, SIZE), id="a part from the start"),
        pytest.param(answers("416 Range Not Satisfiable", "Content-Length: 0\n"), id="416"),
        pytest.param(answers("412 Precondition Failed", "Content-Length: 0\n"), id="412"),
    ],
)
async def test_what_is_not_the_rest_of_the_same_content_is_never_mixed_with_it(
    bench: Bench, misbehaves: Respond
) -> None:
    data = secrets.token_bytes(SIZE)
    async with serving(data, cuts=[CUT], misbehaves=misbehaves) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server)[:2] == [None, REST]
    assert ranges(server)[-1] is None
    await one_file_is_left(bench)


async def test_content_that_changed_begins_anew(bench: Bench) -> None:
    data = secrets.token_bytes(SIZE + 1)
    old, new = (
        Content(secrets.token_bytes(SIZE), cuts=[CUT]),
        Content(data, 'ETag: "2"\n', cuts=[0, 2 * PART_SIZE]),
    )
    async with remote(after(old, new)) as server:
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, REST, None, f"bytes={2 * PART_SIZE}-"]
    assert server.requests[3].headers["if-range"] == '"2"'
    await one_file_is_left(bench)


async def test_a_stored_part_is_not_fetched_again_by_the_next_worker(bench: Bench) -> None:
    """The server stays away so long that the fetch gives its place up, and is well again for the next attempt."""
    data, away = secrets.token_bytes(SIZE), answers("503 Service Unavailable", "Content-Length: 0\n")
    async with serving(data, cuts=[CUT], misbehaves=away) as (server, content):
        fetch_id = await bench.ask(server.url())
        assert (await bench.attempt(fetch_id)).error == "remote_refused"
        asked = len(server.requests)
        assert set(ranges(server)[1:]) == {REST}
        content.misbehaves = None
        await bench.until(lambda: bench.is_due(fetch_id))
        assert await bench.content(await bench.attempt(fetch_id)) == data
    assert ranges(server)[asked:] == [f"bytes={PART_SIZE}-"]
    await one_file_is_left(bench)


@pytest.mark.parametrize(
    ("headers", "asked"), [("", [None, REST, REST, None]), ("Accept-Ranges: none\n", [None, REST, None])]
)
async def test_a_server_without_ranges_is_asked_for_all_again(
    bench: Bench, headers: str, asked: list[str | None]
) -> None:
    data = secrets.token_bytes(SIZE)
    async with serving(data, cuts=[CUT], knows_ranges=False, headers=headers) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == asked
    await one_file_is_left(bench)


async def test_a_condition_that_a_server_does_not_understand_is_left_out(bench: Bench) -> None:
    """It sends all of the very same content for `If-Range` with the tag that it has said itself."""
    data = secrets.token_bytes(SIZE)

    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        without_range = Request(request.target, {})
        await content(without_range if "if-range" in request.headers else request, writer)

    async with serving(data, cuts=[CUT]) as (server, content):
        server.respond = respond
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, REST, REST]
    assert [request.headers.get("if-range") for request in server.requests] == [None, '"1"', None]
    await one_file_is_left(bench)


async def test_a_range_need_not_say_how_long_the_whole_is(bench: Bench) -> None:
    data = secrets.token_bytes(SIZE)
    said = f"{STRONG}Content-Length: {SIZE - CUT}\nContent-Range: bytes {CUT}-{SIZE - 1}/*\n"
    rest = answers("206 Partial Content", said, data[CUT:])
    async with serving(data, cuts=[CUT], misbehaves=rest) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, REST]


async def test_a_server_that_breaks_off_again_and_again_brings_all_in_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection brings a whole part, and every byte is fetched once."""
    monkeypatch.setattr(fetching, "ATTEMPTS", 1)
    data, bite = secrets.token_bytes(SIZE), PART_SIZE // 2 - 1
    async with serving(data, cuts=[bite] * 4) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, *(f"bytes={number * bite}-" for number in range(1, 5))]
    await one_file_is_left(bench)


async def test_a_range_that_is_answered_in_parts_is_gone_on_with(bench: Bench) -> None:
    """A server may send less than the range asked for, and end there as if all were well."""
    data = secrets.token_bytes(SIZE)
    rest = after(
        partial(data[CUT : 2 * PART_SIZE + 3], CUT, SIZE),
        partial(data[2 * PART_SIZE + 3 :], 2 * PART_SIZE + 3, SIZE),
    )
    async with serving(data, cuts=[CUT], misbehaves=rest) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert ranges(server) == [None, REST, f"bytes={2 * PART_SIZE + 3}-"]


async def test_the_rest_of_what_is_known_by_its_time_need_not_say_the_time_again(bench: Bench) -> None:
    data = secrets.token_bytes(SIZE)
    rest = partial(data[CUT:], CUT, SIZE, f"Date: {NOW}\n")
    async with serving(data, validators=TIME, cuts=[CUT], misbehaves=rest) as (server, _):
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
    assert ranges(server) == [None, "bytes=3-", None]


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
