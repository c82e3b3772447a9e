"""The requests of the client for users' URLs, and its reading of the answers."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncGenerator

import pytest

from common.outbound.client import Outbound, RemoteRefused, TooManyRedirects
from tests.integration.running_remote import (
    PATIENCE,
    REDIRECTS,
    Names,
    Request,
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


async def test_cookies_are_not_kept(outbound: Outbound) -> None:
    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        cookie = "Set-Cookie: a=b; Path=/\nContent-Length: 0\n"
        head = ("302 Found", f"Location: /next\n{cookie}") if request.target == "/" else ("200 OK", cookie)
        await answers(*head)(request, writer)

    async with remote(respond) as server:
        for _ in range(2):
            await fetched(outbound, server.url(host="one.example"))
    assert [request.headers.get("cookie") for request in server.requests] == [None] * 4


async def test_no_connection_is_used_twice(outbound: Outbound) -> None:
    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        await answers("200 OK", "Content-Length: 2\nConnection: keep-alive\n", b"ok")(request, writer)
        await silence(request, writer)

    async with remote(respond) as server:
        for _ in range(2):
            assert await fetched(outbound, server.url()) == b"ok"
    assert server.connections == 2
