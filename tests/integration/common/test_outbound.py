"""The requests of the client for users' URLs, and its reading of the answers."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from common.outbound.client import Outbound, RemoteRefused, TooManyRedirects
from tests.integration.running_remote import (
    PATIENCE,
    REDIRECTS,
    Names,
    Request,
    Respond,
    answers,
    fetched,
    opened,
    redirects,
    remote,
    silence,
)

BASIC = "Basic " + b64encode(b"user:password").decode()


@pytest.fixture
async def outbound() -> AsyncGenerator[Outbound]:
    names = Names(one_example=[["127.0.0.1"]], two_example=[["127.0.0.1"]])
    async with opened("127.0.0.0/8", names, PATIENCE) as outbound:
        yield outbound


async def test_an_answer_says_what_it_brings(outbound: Outbound) -> None:
    ok = answers("200 OK", 'Content-Length: 5\nContent-Type: text/plain\nETag: "1"\n', b"hello")
    async with remote(ok) as server, outbound.get(server.url("/a%2Fb?c=%20#d"), {"X-Asked": "yes"}) as answer:
        assert (answer.status, answer.length, answer.start, answer.size) == (200, 5, 0, 5)
        assert (answer.headers["content-type"], answer.headers["ETag"]) == ("text/plain", '"1"')
        assert answer.url == server.url("/a%2Fb?c=%20")
        assert b"".join([block async for block in answer.blocks()]) == b"hello"
    (request,) = server.requests
    assert request.target == "/a%2Fb?c=%20"
    sent = {name: request.headers.get(name) for name in ("user-agent", "accept-encoding", "x-asked", "referer")}
    assert sent == {"user-agent": "Waystation", "accept-encoding": "identity", "x-asked": "yes", "referer": None}


@pytest.mark.parametrize(
    ("headers", "body"),
    [("", b"hello"), ("Transfer-Encoding: chunked\n", b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n")],
)
async def test_a_length_that_is_not_announced_is_not_known(outbound: Outbound, headers: str, body: bytes) -> None:
    async with remote(answers("200 OK", headers, body)) as server, outbound.get(server.url()) as answer:
        assert (answer.length, answer.size) == (None, None)
        assert b"".join([block async for block in answer.blocks()]) == b"hello"


async def test_compressed_content_is_not_expanded(outbound: Outbound) -> None:
    compressed = bytes.fromhex("1f8b0800000000000003")
    head = f"Content-Encoding: gzip\nContent-Length: {len(compressed)}\n"
    async with remote(answers("200 OK", head, compressed)) as server:
        assert await fetched(outbound, server.url()) == compressed


@pytest.mark.parametrize("status", ["304 Not Modified", "300 Multiple Choices", "404 Not Found", "416 No", "503 No"])
async def test_an_answer_that_is_no_success_is_told_by_its_status(outbound: Outbound, status: str) -> None:
    async with remote(answers(status, "Content-Length: 0\n")) as server:
        with pytest.raises(RemoteRefused, match=status[:3]) as refused:
            await fetched(outbound, server.url())
    assert refused.value.status == int(status[:3])


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("location", ["http://ORIGIN/file", "//ORIGIN/file", "/file", "file", "../file?x#y"])
async def test_a_redirect_is_followed(outbound: Outbound, status: str, location: str) -> None:
    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.target.startswith("/file"):
            return await answers("200 OK", "Content-Length: 2\n", b"ok")(request, writer)
        return await redirects(location.replace("ORIGIN", request.headers["host"]), status)(request, writer)

    async with remote(respond) as server:
        assert await fetched(outbound, server.url("/start")) == b"ok"
    assert len(server.requests) == 2


async def test_redirects_end_somewhere(outbound: Outbound) -> None:
    async def further(request: Request, writer: asyncio.StreamWriter) -> None:
        await redirects(f"{request.target}a")(request, writer)

    for respond in (redirects("/"), further):
        async with remote(respond) as server:
            with pytest.raises(TooManyRedirects):
                await fetched(outbound, server.url())
        assert len(server.requests) == REDIRECTS + 1


@pytest.mark.parametrize("headers", ["Content-Length: 0\n", "Location:\nContent-Length: 0\n"])
async def test_a_redirect_to_nowhere_is_no_success(outbound: Outbound, headers: str) -> None:
    async with remote(answers("302 Found", headers)) as server:
        with pytest.raises(RemoteRefused, match="302"):
            await fetched(outbound, server.url())


async def test_credentials_stay_with_their_origin(outbound: Outbound) -> None:
    """From one to itself, to another, and back: what went away once does not come back."""
    async with remote(silence) as one, remote(silence) as two:
        steps = {
            "/start": one.url("/same"),
            "/same": two.url("/other", host="intruder:secret@127.0.0.1"),
            "/other": one.url("/back"),
        }

        async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
            if request.target == "/back":
                await answers("200 OK", "Content-Length: 2\n", b"ok")(request, writer)
            else:
                await redirects(steps[request.target])(request, writer)

        one.respond = two.respond = respond
        async with outbound.get(one.url("/start", host="user:password@127.0.0.1"), {"Cookie": "a=b"}) as answer:
            assert answer.url == one.url("/back")
    seen = [(request.target, request.headers.get("authorization")) for request in one.requests + two.requests]
    assert seen == [("/start", BASIC), ("/same", BASIC), ("/back", None), ("/other", None)]
    assert ["cookie" in request.headers for request in one.requests + two.requests] == [True, True, False, False]
    assert not any("referer" in request.headers for request in one.requests + two.requests)


async def test_another_name_for_the_same_server_gets_no_credentials(outbound: Outbound) -> None:
    async with remote(silence) as server:
        elsewhere = server.url("/two", host="two.example")

        async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
            await (answers("200 OK") if request.target == "/two" else redirects(elsewhere))(request, writer)

        server.respond = respond
        await fetched(outbound, server.url("/one", host="user:password@one.example"))
    assert [request.headers.get("authorization") for request in server.requests] == [BASIC, None]


async def test_cookies_last_for_one_way_to_a_url_and_go_to_the_host_that_set_them(outbound: Outbound) -> None:
    """A server that lets nobody in who does not bring back its cookie, with another one in between."""
    async with remote(silence) as one, remote(silence) as two:
        steps = {
            "/start": two.url("/other", host="two.example"),
            "/other": one.url("/back", host="one.example"),
        }

        async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
            name = request.target.strip("/")
            cookies = f"Set-Cookie: {name}=b; Path=/; Domain=example\nSet-Cookie: safe=c; Secure\nContent-Length: 0\n"
            if request.target in steps:
                await answers("302 Found", f"Location: {steps[request.target]}\n{cookies}")(request, writer)
            else:
                await answers("200 OK", cookies)(request, writer)

        one.respond = two.respond = respond
        for _ in range(2):
            await fetched(outbound, one.url("/start", host="one.example"))
    assert [request.headers.get("cookie") for request in one.requests] == [None, "start=b"] * 2
    assert [request.headers.get("cookie") for request in two.requests] == [None] * 2


@pytest.mark.parametrize(
    ("location", "target"),
    [("/für".encode(), "/f%C3%BCr"), ("/für?ä".encode("latin-1"), "/f%FCr?%E4"), (b"/\xc3\xbc\xfc", "/%C3%BC%FC")],
)
async def test_a_redirect_may_hold_any_bytes(outbound: Outbound, location: bytes, target: str) -> None:
    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.target == "/start":
            writer.write(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")
        else:
            await answers("200 OK", "Content-Length: 2\n", b"ok")(request, writer)

    async with remote(respond) as server:
        assert await fetched(outbound, server.url("/start")) == b"ok"
    assert server.requests[1].target == target


@pytest.mark.parametrize(
    "respond",
    [
        pytest.param(answers("200 OK", "Content-Length: 2\n", b"okmore"), id="after the length"),
        pytest.param(answers("200 OK", "Content-Length: 2\n", b"okHTTP/1.1 500 No\r\n\r\n"), id="another answer"),
        pytest.param(
            answers("200 OK", "Transfer-Encoding: chunked\n", b"2\r\nok\r\n0\r\n\r\nmore"), id="after the last chunk"
        ),
        pytest.param(
            answers("200 OK", "".join(f"X-{number}: a\n" for number in range(999)) + "Content-Length: 2\n", b"ok"),
            id="1,000 headers",
        ),
        pytest.param(answers("200 OK", f"X: {'a' * 64 * 1000}\nContent-Length: 2\n", b"ok"), id="a header of 64 KB"),
        pytest.param(answers("103 Early Hints", "X: a\n\nHTTP/1.1 200 OK\n", b"ok"), id="hints first"),
    ],
)
async def test_what_every_client_forgives_is_forgiven(outbound: Outbound, respond: Respond) -> None:
    async with remote(respond) as server:
        assert await fetched(outbound, server.url()) == b"ok"


@pytest.mark.parametrize(
    ("header", "pause"),
    [("7", 7), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("-1", None), ("soon", None), ("9" * 99, None), ("", None)],
)
async def test_a_refusal_may_say_when_to_come_back(outbound: Outbound, header: str, pause: int | None) -> None:
    async with remote(answers("429 Slow", f"Retry-After: {header}\nContent-Length: 0\n")) as server:
        with pytest.raises(RemoteRefused) as refused:
            await fetched(outbound, server.url())
    assert refused.value.retry_after == (None if pause is None else timedelta(seconds=pause))


async def test_no_connection_is_used_twice(outbound: Outbound) -> None:
    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        await answers("200 OK", "Content-Length: 2\nConnection: keep-alive\n", b"ok")(request, writer)
        await silence(request, writer)

    async with remote(respond) as server:
        for _ in range(2):
            assert await fetched(outbound, server.url()) == b"ok"
    assert server.connections == 2
