"""Every kind of misbehaving server that docs/use.md lists, and what a fetch makes of it."""

import asyncio
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.conftest import ROOT
from tests.integration.running_remote import Request, Respond, answers, remote
from tests.integration.upload.fetches.running_fetches import PART_SIZE, STRONG, Bench, Content
from upload_service.fetches.model import FetchState

SIZE = 2 * PART_SIZE + 7
CUT = PART_SIZE + 9
DONE = "done"

DATA = secrets.token_bytes(SIZE)
SMALL = b"0123456789"
EMPTY = "Content-Length: 0\n"
GZIP = "Content-Encoding: gzip\n"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of misbehaviour, called as in the table of the guide."""

    name: str
    outcome: str
    """`done`, or the error of the fetch."""
    respond: Callable[[], Respond]
    data: bytes = SMALL
    """The content, if it is fetched."""


def content(**changes: object) -> Callable[[], Respond]:
    """A server of the large content, made for each test because it remembers what it has done."""
    return lambda: Content(DATA, **{"cuts": [CUT], **changes})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def always(status: str, headers: str = "", body: bytes = b"") -> Callable[[], Respond]:
    return lambda: answers(status, headers, body)


def small(headers: str, body: bytes = SMALL) -> Callable[[], Respond]:
    return always("200 OK", headers, body)


def chunked(rest: bytes) -> Callable[[], Respond]:
    """The small content in one chunk, and what comes after it."""
    return small("Transfer-Encoding: chunked\n", b"a\r\n" + SMALL + b"\r\n" + rest)


def first(*responses: Respond) -> Callable[[], Respond]:
    """These answers one after the other, then always the last."""

    def make() -> Respond:
        left = list(responses)

        async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
            await (left.pop(0) if len(left) > 1 else left[0])(request, writer)

        return respond

    return make


def changing() -> Respond:
    """Other content in each answer."""

    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        tag = secrets.token_hex(4)
        await Content(secrets.token_bytes(SIZE), f'ETag: "{tag}"\n', cuts=[CUT])(request, writer)

    return respond


def wants_its_cookie() -> Respond:
    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        if request.headers.get("cookie") == "seen=1":
            await answers("200 OK", "Content-Length: 10\n", SMALL)(request, writer)
        else:
            await answers("302 Found", f"Location: /\nSet-Cookie: seen=1; Path=/\n{EMPTY}")(request, writer)

    return respond


OK = answers("200 OK", "Content-Length: 10\n", SMALL)
RANGE = f"Content-Length: {SIZE - CUT}\nContent-Range: bytes {CUT}-{SIZE - 1}/"
KINDS = [
    Kind("breaks off in the middle", DONE, content(), DATA),
    Kind("breaks off in the middle, has no `ETag` and no `Last-Modified`", DONE, content(validators=""), DATA),
    Kind("breaks off at the same byte each time, and has neither", "remote_unavailable", small("Content-Length: 99\n")),
    Kind("knows no ranges", DONE, content(knows_ranges=False), DATA),
    Kind(
        "sends a range of other content",
        DONE,
        content(
            misbehaves=answers("206 Partial Content", f'ETag: "2"\n{RANGE}{SIZE}\n', secrets.token_bytes(SIZE - CUT))
        ),
        DATA,
    ),
    Kind(
        "does not say in a range how long the whole is",
        DONE,
        content(misbehaves=answers("206 Partial Content", f"{STRONG}{RANGE}*\n", DATA[CUT:])),
        DATA,
    ),
    Kind("answers 416 for the rest", DONE, content(misbehaves=answers("416 Range Not Satisfiable", EMPTY)), DATA),
    Kind("sends other content each time and breaks off", "remote_unavailable", changing),
    Kind("sends more than the announced length", DONE, small("Content-Length: 10\n", SMALL + b"more")),
    Kind(
        "sends more after the last chunk",
        DONE,
        chunked(b"0\r\n\r\nmore"),
    ),
    Kind(
        "never sends the last chunk",
        "remote_unavailable",
        chunked(b""),
    ),
    Kind(
        "sends a broken chunk",
        "remote_unavailable",
        chunked(b"zz\r\n"),
    ),
    Kind("says two different lengths", "remote_unavailable", small("Content-Length: 10\nContent-Length: 11\n")),
    Kind("says no length and closes", DONE, small("")),
    Kind("sends 1,000 headers", DONE, small("".join(f"X-{n}: a\n" for n in range(999)) + "Content-Length: 10\n")),
    Kind("sends a header of 64 KB", DONE, small(f"X: {'a' * 64_000}\nContent-Length: 10\n")),
    Kind("sends heads of more than 1 MiB", "remote_unavailable", small(f"X: {'a' * 64_000}\n" * 20)),
    Kind(
        "sends `Content-Encoding: gzip` unasked",
        "content_encoded",
        small(f"{GZIP}Content-Length: 10\n"),
    ),
    Kind(
        "sends `Content-Encoding: gzip` for a file called `.gz`",
        DONE,
        small('Content-Disposition: attachment; filename="a.tar.gz"\nContent-Encoding: x-gzip\nContent-Length: 10\n'),
    ),
    Kind("redirects with raw bytes", DONE, first(answers("302 Found", f"Location: /f\u00fcr\n{EMPTY}"), OK)),
    Kind("redirects until its cookie comes back", DONE, wants_its_cookie),
    Kind("redirects without end", "too_many_redirects", always("302 Found", f"Location: /\n{EMPTY}")),
    Kind(
        "redirects to a private address", "address_refused", always("302 Found", f"Location: http://10.0.0.1/\n{EMPTY}")
    ),
    Kind("redirects to another scheme", "url_invalid", always("302 Found", f"Location: file:///etc/passwd\n{EMPTY}")),
    Kind("answers 404, 403 or 401", "remote_refused", always("404 Not Found", EMPTY)),
    Kind("answers 202 or 204", "remote_refused", always("204 No Content")),
    Kind("answers 503 or 429 at first", DONE, first(answers("503 Busy", EMPTY), answers("429 Slow", EMPTY), OK)),
    Kind("answers 503 or 429 always", "remote_refused", always("503 Busy", EMPTY)),
    Kind("wants to be asked again too late", "remote_refused", always("503 Busy", f"Retry-After: 999999\n{EMPTY}")),
    Kind("speaks something else", "remote_unavailable", lambda: _greets),
]


async def _greets(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 files.example FTP ready\r\n")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_a_fetch_from_a_misbehaving_server_ends_as_the_guide_says(bench: Bench, kind: Kind) -> None:
    async with remote(kind.respond()) as server:
        fetch = await bench.fetch(server.url("/a.bin"))
    if kind.outcome == DONE:
        assert await bench.content(fetch) == kind.data
        return
    assert (fetch.state, fetch.error) == (FetchState.FAILED, kind.outcome)
    assert fetch.detail
    await bench.sweep()
    assert await bench.left() == []


def test_the_guide_lists_the_kinds_that_are_tested() -> None:
    guide = (ROOT / "docs/use.md").read_text(encoding="utf-8")
    section = guide.partition("\n## Files from a URL\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (?:`(\w+)`|.*?) \| .* \|$", section, re.MULTILINE)
    listed = [(name, outcome) for name, outcome in rows if outcome]
    assert listed == [(kind.name, kind.outcome) for kind in KINDS]
