"""URLs that must not be fetched, and servers that do not send the content: a clear error, and nothing left."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from itertools import pairwise
from time import monotonic

import pytest

from common.outbound.client import Outbound
from deploy.local import ports
from tests.integration.running_remote import (
    Names,
    Request,
    Respond,
    answers,
    forever,
    opened,
    redirects,
    remote,
    silence,
)
from tests.integration.upload.fetches.halting import leases_run_out
from tests.integration.upload.fetches.running_fetches import (
    MAX_SIZE,
    PART_SIZE,
    PATIENCE_SECONDS,
    STRONG,
    Bench,
    serving,
)
from upload_service.fetches import running as fetching
from upload_service.fetches.model import Fetch, FetchState

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def outbound() -> AsyncGenerator[Outbound]:
    # Loopback stands for the public internet, except one address that stands for a private network.
    names = Names(public_example=[["127.0.0.1"]], turning_example=[["127.0.0.1"], ["10.0.0.1"]])
    async with opened("127.0.0.1/32", names) as outbound:
        yield outbound


async def nothing_came_of(bench: Bench, fetch: Fetch, error: str) -> None:
    assert (fetch.state, fetch.error) == (FetchState.FAILED, error)
    assert fetch.detail
    assert (fetch.file_id, fetch.share_code) == (None, None)
    assert bench.share.made == []
    await bench.sweep()
    assert await bench.left() == []


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.2", "0.0.0.0", "10.0.0.1", "192.168.1.1", "169.254.169.254"),
        *("[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.2]", "[::ffff:a00:1]", "[64:ff9b::10.0.0.1]"),
        *("[2002:7f00:1::]", "[::127.0.0.2]"),
    ],
)
async def test_addresses_that_are_not_public_are_refused_at_once(bench: Bench, host: str) -> None:
    fetch = await bench.fetch(f"http://{host}:1/")
    await nothing_came_of(bench, fetch, "address_refused")


async def test_a_name_is_judged_at_each_connection(bench: Bench) -> None:
    """The first answer of the name service is a public address, the second is not."""
    async with serving(bytes(2 * PART_SIZE), cuts=[PART_SIZE + 1]) as (server, _):
        fetch = await bench.fetch(server.url(host="turning.example"))
    assert len(server.requests) == 1
    await nothing_came_of(bench, fetch, "address_refused")


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("http://127.0.0.2/", "address_refused"),
        ("http://turning.example:{port}/", "address_refused"),
        ("//[::ffff:10.0.0.1]/", "address_refused"),
        ("file:///etc/passwd", "url_invalid"),
        ("gopher://public.example/", "url_invalid"),
        *((location, "url_invalid") for location in ("http://[", "//[x]/", "http://exa\u2100mple/")),
        ("/again", "too_many_redirects"),
    ],
)
async def test_redirects_lead_nowhere_else(bench: Bench, location: str, error: str) -> None:
    async with remote(answers("200 OK")) as server:
        server.respond = redirects(location.format(port=server.port))
        url = server.url(host="turning.example" if "turning" in location else "public.example")
        fetch = await bench.fetch(url)
    await nothing_came_of(bench, fetch, error)


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "401 Unauthorized", "304 Not Modified"])
async def test_a_refusal_is_final(bench: Bench, status: str) -> None:
    async with remote(answers(status, "Content-Length: 0\n")) as server:
        fetch = await bench.fetch(server.url())
    assert len(server.requests) == 1
    await nothing_came_of(bench, fetch, "remote_refused")
    assert fetch.detail == f"the remote server answered {status[:3]}"


@pytest.mark.parametrize(
    ("respond", "error"),
    [
        pytest.param(answers("500 Internal Server Error", "Content-Length: 0\n"), "remote_refused", id="500"),
        pytest.param(answers("503 Service Unavailable", "Content-Length: 0\n"), "remote_refused", id="503"),
        pytest.param(answers("429 Too Many Requests", "Content-Length: 0\n"), "remote_refused", id="429"),
        pytest.param(answers("408 Request Timeout", "Content-Length: 0\n"), "remote_refused", id="408"),
        pytest.param(silence, "remote_unavailable", id="no answer"),
        pytest.param(forever(OK + b"Content-Length: 9\r\n\r\n", b"", 0.05), "remote_unavailable", id="no body"),
        pytest.param(answers("200 OK", "Content-Length: 9\n", b"abc"), "remote_unavailable", id="too short"),
        pytest.param(answers("200 OK", "Transfer-Encoding: chunked\n", b"zz"), "remote_unavailable", id="no chunk"),
        pytest.param(answers("206 Partial Content", "Content-Length: 1\n", b"a"), "remote_unavailable", id="no range"),
    ],
)
async def test_what_may_mend_is_tried_a_few_times(bench: Bench, respond: Respond, error: str) -> None:
    async with remote(respond) as server:
        fetch = await bench.fetch(server.url())
    # On a slow machine an attempt may be given up before the server has read its request.
    assert server.connections == fetching.ATTEMPTS
    await nothing_came_of(bench, fetch, error)


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://unknown.example/"])
async def test_who_is_not_there_is_called_a_few_times(bench: Bench, url: str) -> None:
    (port,) = ports.choose(1)
    await nothing_came_of(bench, await bench.fetch(url.format(port=port)), "remote_unavailable")


async def test_the_waits_between_attempts_grow(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FIRST_WAIT", timedelta(seconds=0.05))
    monkeypatch.setattr("common.backoff.random.uniform", lambda *_: 1.0)
    moments: list[float] = []

    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        moments.append(monotonic())
        await answers("503 Service Unavailable", "Content-Length: 0\n")(request, writer)

    async with remote(respond) as server:
        await bench.fetch(server.url())
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert all(wait >= least for wait, least in zip(waits, (0.05, 0.1, 0.2, 0.4), strict=True))


async def test_the_last_failure_is_told_while_it_is_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FIRST_WAIT", timedelta(seconds=60))
    async with serving(b"abc", status="503 Service Unavailable") as (server, content):
        fetch_id = await bench.ask(server.url())
        running = asyncio.create_task(bench.run(fetch_id))

        async def told() -> bool:
            fetch = await bench.look(fetch_id)
            return (fetch.state, fetch.error) == (FetchState.FETCHING, "remote_refused")

        await bench.until(told)
        # The worker is stopped; another one finds the server well again.
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        content.status = "200 OK"
        done = await bench.run(fetch_id)
    assert await bench.content(done) == b"abc"
    assert (done.error, done.detail) == (None, None)


@pytest.mark.parametrize("announced", [True, False])
async def test_what_is_larger_than_allowed_is_not_read_to_its_end(bench: Bench, announced: bool) -> None:
    block = bytes(256 * 1024)
    chunk = f"{len(block):x}\r\n".encode() + block + b"\r\n"
    length = f"Content-Length: {MAX_SIZE + 1}\r\n\r\n".encode()
    head, body = (length, block) if announced else (b"Transfer-Encoding: chunked\r\n\r\n", chunk)
    async with remote(forever(OK + head, body)) as server:
        fetch = await bench.fetch(server.url(), max_size=MAX_SIZE if announced else PART_SIZE + 1)
        await asyncio.wait_for(server.left.wait(), PATIENCE_SECONDS)
    assert len(server.requests) == 1
    await nothing_came_of(bench, fetch, "too_large")


@pytest.mark.parametrize("ending", ["length", "chunks", "close"])
@pytest.mark.parametrize("surplus", [0, 1])
async def test_the_limit_is_counted_to_the_byte(bench: Bench, ending: str, surplus: int) -> None:
    body = bytes(10 + surplus)
    responses = {
        "length": answers("200 OK", f"Content-Length: {len(body)}\n", body),
        "chunks": answers("200 OK", "Transfer-Encoding: chunked\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)),
        "close": answers("200 OK", "", body),
    }
    async with remote(responses[ending]) as server:
        fetch = await bench.fetch(server.url(), max_size=10)
    assert fetch.state is (FetchState.FAILED if surplus else FetchState.DONE)
    assert fetch.error == ("too_large" if surplus else None)


@pytest.mark.parametrize("size", [None, 2 * PART_SIZE], ids=["stream", "parts"])
async def test_what_takes_too_long_is_given_up(bench: Bench, size: int | None) -> None:
    head = f"Content-Length: {size}\r\n{STRONG.strip()}\r\n\r\n" if size else "\r\n"
    async with remote(forever(OK + head.encode(), b"a", 0.05)) as server:
        fetch = await bench.fetch(server.url(), lifetime=timedelta(seconds=1))
        await asyncio.wait_for(server.left.wait(), PATIENCE_SECONDS)
    # The worker may have been broken off before it knew that it had reserved a part.
    await leases_run_out(bench)
    await nothing_came_of(bench, fetch, "fetch_too_slow")


async def test_what_waited_until_its_time_was_over_asks_nobody(bench: Bench) -> None:
    async with serving(b"abc") as (server, _):
        fetch = await bench.fetch(server.url(), lifetime=timedelta(0))
    assert server.requests == []
    await nothing_came_of(bench, fetch, "fetch_too_slow")


async def test_what_nobody_expected_is_recorded_and_told_to_the_log(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(fetching, "receive_content", broken)
    fetch_id = await bench.ask("http://public.example/")
    with pytest.raises(ZeroDivisionError):
        await bench.run(fetch_id)
    await nothing_came_of(bench, await bench.look(fetch_id), "unexpected")


@contextmanager
def logged() -> Generator[StringIO]:
    """Everything that goes through the standard library's logs, at any level."""
    stream, root = StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


@pytest.mark.parametrize(
    "respond",
    [
        answers("404 Not Found", "Content-Length: 0\n"),
        answers("200 OK", "Content-Length: 9\n", b"abc"),
        answers("200 OK\nbroken"),
        redirects("http://other:hidden-too@127.0.0.2/"),
        redirects("http://public.example:99999/hidden-too"),
        answers("200 OK", "Content-Length: 1\n", b"a"),
    ],
)
async def test_credentials_are_in_no_log_and_no_words(
    bench: Bench, respond: Respond, capfd: pytest.CaptureFixture[str]
) -> None:
    async with remote(respond) as server:
        with logged() as stream:
            fetch = await bench.fetch(server.url("/?key=hidden").replace("http://", "http://user:hidden@"))
    out, err = capfd.readouterr()
    assert "hidden" not in out + err + stream.getvalue() + f"{fetch.error} {fetch.detail}"
    assert fetch.url == server.url("/?key=hidden")


async def test_another_port_of_an_allowed_address_is_no_other_address(bench: Bench) -> None:
    """The refusals above are for the address, not because nothing answers there."""
    async with opened() as strict, serving(b"abc") as (server, _):
        bench.context = replace(bench.context, outbound=strict)
        await nothing_came_of(bench, await bench.fetch(server.url()), "address_refused")
        assert server.connections == 0
