"""Request bodies, fed to the application block by block as a server would."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput, TooLarge, TooSlow
from common.http import bodies, forms
from common.http.bodies import RawBody, read_body
from common.http.forms import Field, FilePart, FormStream, read_fields, read_form
from upload_service.dialects.growing import receiving

BOUNDARY = "b0undary"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def request(
    content: bytes, kind: str = FORM, *, block: int = 7, length: int | None = None, cut: bool = False
) -> Request:
    blocks = [content[start : start + block] for start in range(0, len(content), block)]
    headers = [(b"content-type", kind.encode())]
    if length != -1:
        headers.append((b"content-length", str(len(content) if length is None else length).encode()))

    async def receive() -> dict[str, Any]:
        if blocks:
            return {"type": "http.request", "body": blocks.pop(0), "more_body": bool(blocks) or cut}
        return {"type": "http.disconnect"} if cut else {"type": "http.request", "body": b"", "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


def form(*parts: tuple[str, bytes], end: bool = True) -> bytes:
    body = b"".join(
        b"--%b\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (BOUNDARY.encode(), head.encode(), value)
        for head, value in parts
    )
    return body + (b"--%b--\r\n" % BOUNDARY.encode() if end else b"")


async def parts_of(got: Request) -> list[tuple[str, str, bytes | str]]:
    found: list[tuple[str, str, bytes | str]] = []
    async for part in FormStream(got):
        if isinstance(part, Field):
            found.append(("field", part.name, part.text))
        else:
            found.append((part.filename, part.name, b"".join([block async for block in part])))
    return found


@given(
    content=st.binary(max_size=300),
    text=st.text(alphabet=st.characters(blacklist_categories=["Cs"]), max_size=50),
    block=st.integers(1, 400),
)
def test_a_form_is_parsed_for_all_sizes_of_blocks(content: bytes, text: str, block: int) -> None:
    body = form(('name="a"', text.encode()), ('name="file"; filename="n.bin"', content), ('name="z"', b"last"))
    found = asyncio.run(parts_of(request(body, block=block)))
    assert found == [("field", "a", text), ("n.bin", "file", content), ("field", "z", "last")]


@pytest.mark.parametrize(("length", "waits"), [(None, 1), (-1, 2)])
async def test_the_end_of_a_body_of_announced_length_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, length: int | None, waits: int
) -> None:
    begun: list[float | None] = []
    timeout = asyncio.timeout

    def counting(seconds: float | None) -> asyncio.Timeout:
        begun.append(seconds)
        return timeout(seconds)

    monkeypatch.setattr(asyncio, "timeout", counting)
    assert await read_body(request(b"a body", length=length)) == b"a body"
    assert begun == [bodies.STALL_SECONDS] * waits


async def test_a_file_that_nobody_reads_is_skipped() -> None:
    body = form(('name="file"; filename="n"', bytes(1000)), ('name="z"', b"last"))
    names = [part.name async for part in FormStream(request(body))]
    assert names == ["file", "z"]


async def test_the_certain_length_of_a_file_never_exceeds_the_bytes_to_come() -> None:
    content = bytes(300_000)
    got = request(form(('name="file"; filename="n"', content), ('name="z"', b"last")), block=5000)
    async for part in FormStream(got):
        if isinstance(part, FilePart):
            seen = 0
            assert part.certain() > 200_000
            async for block in part:
                seen += len(block)
                assert part.certain() <= len(content) - seen
            assert part.certain() == 0


async def test_without_a_length_nothing_is_certain() -> None:
    async for part in FormStream(request(form(('name="file"; filename="n"', bytes(300_000))), length=-1, block=5000)):
        assert isinstance(part, FilePart)
        assert part.certain() == 0
        assert sum([len(block) async for block in part]) == 300_000


@pytest.mark.parametrize(
    "body",
    [
        b"no form at all",
        form(('name="a"', b"value"), end=False),
        b"--b0undary\r\nContent-Disposition: form-data\r\n\r\nx",
        b"--b0undary\r\n" + b"X-Long: " + b"a" * 20_000 + b"\r\n\r\n",
        b"--b0undary\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(100)) + b"\r\n\r\n",
        form(('name="a"', b"\xff\xfe")),
        form(*[(f'name="f{number}"', b"") for number in range(forms.FIELD_COUNT + 1)]),
        b"",
    ],
)
async def test_a_malformed_form_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        await parts_of(request(body, block=4096))


async def test_a_field_of_a_form_has_a_limit() -> None:
    with pytest.raises(TooLarge):
        await parts_of(request(form(('name="a"', b"x" * (bodies.FIELD_LIMIT + 1))), block=4096))


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "", "multipart/form-data; boundary="])
def test_other_content_types_are_not_read_as_a_form(kind: str) -> None:
    with pytest.raises(InvalidInput):
        FormStream(request(b"", kind))


async def test_a_body_cut_off_in_the_middle_is_refused() -> None:
    with pytest.raises(InvalidInput):
        await parts_of(request(form(('name="file"; filename="n"', bytes(100)), end=False), cut=True))


async def test_a_body_that_stops_arriving_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", 0.01)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(10)
        raise AssertionError

    silent = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(TooSlow):
        [block async for block in RawBody(silent)]


async def test_a_small_body_has_a_limit() -> None:
    assert await read_body(request(b"x" * 10), limit=10) == b"x" * 10
    with pytest.raises(TooLarge):
        await read_body(request(b"x" * 11), limit=10)


@pytest.mark.parametrize(
    ("kind", "body", "fields"),
    [
        ("application/json", b'{"a": 1, "b": "x"}', {"a": 1, "b": "x"}),
        ("", b'{"a": 1}', {"a": 1}),
        ("application/x-www-form-urlencoded", b"a=1&b=%E6%96%87&c=", {"a": "1", "b": "文", "c": ""}),
        (FORM, form(('name="a"', b"1"), ('name="b"; filename="skipped"', b"x")), {"a": "1"}),
    ],
)
async def test_fields_come_in_three_encodings(kind: str, body: bytes, fields: dict[str, object]) -> None:
    assert await read_fields(request(body, kind)) == fields


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"),
        ("application/json", b"[1]"),
        ("application/json", b"\xff"),
        ("application/json", b'{"a":' * 10_000),
        ("application/json", b"[" * 10_000 + b"]" * 10_000),
        ("application/json", json.dumps("text").encode()),
        # Numbers that cannot be written again.
        ("application/json", b'{"a": 1e400}'),
        ("application/json", b'{"a": [{"b": -1e400}]}'),
        ("application/json", b'{"a": NaN}'),
        ("application/json", b'{"a": ' + b"9" * 5000 + b"}"),
        ("application/x-www-form-urlencoded", b"a=%FF"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(forms.FIELD_COUNT + 1))),
    ],
)
async def test_fields_that_cannot_be_read_are_refused(kind: str, body: bytes) -> None:
    with pytest.raises(InvalidInput):
        await read_fields(request(body, kind, block=4096))


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", FORM])
async def test_a_form_keeps_repeated_fields_in_the_order_sent(kind: str) -> None:
    body = form(('name="a"', b"1"), ('name="b"', b""), ('name="f"; filename="n"', b"skipped"), ('name="a"', b"2"))
    got = request(body if kind == FORM else b"a=1&b=&a=2", kind)
    assert await read_form(got) == [Field("a", "1"), Field("b", ""), Field("a", "2")]


async def test_a_forms_size_and_number_of_fields_have_separate_limits() -> None:
    kind = "application/x-www-form-urlencoded"
    assert len(await read_form(request(b"a=1&" * 99, kind), count=100)) == 99
    with pytest.raises(InvalidInput):
        await read_form(request(b"a=1&" * 101, kind), count=100)
    with pytest.raises(TooLarge):
        await read_form(request(b"a=" + b"x" * 99, kind), limit=100)
    long = form(('name="a"', b"x" * 101))
    with pytest.raises(TooLarge):
        [part async for part in FormStream(request(long), field_limit=100)]
    with pytest.raises(InvalidInput):
        await read_form(request(b"{}", "application/json"))


@pytest.mark.parametrize("read", [read_body, read_form, read_fields], ids=lambda read: read.__name__)
async def test_a_body_announced_too_long_is_refused_before_it_is_read(read: Callable[[Request], Any]) -> None:
    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was read")

    for kind in ("application/x-www-form-urlencoded", FORM):
        headers = [(b"content-length", b"999999999999"), (b"content-type", kind.encode())]
        with pytest.raises(TooLarge):
            await read(Request({"type": "http", "method": "POST", "headers": headers}, receive))


async def _in_the_middle() -> tuple[RawBody, asyncio.Task[bytes]]:
    """A body whose client sends nothing more, and its reader, which waits."""

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("it waits for ever")

    body = RawBody(Request({"type": "http", "method": "PATCH", "headers": []}, receive))

    async def read() -> bytes:
        return b"".join([block async for block in body])

    reader = asyncio.create_task(read())
    while body._waiting is None:
        await asyncio.sleep(0)
    return body, reader


def test_a_body_is_ended_at_the_moment_at_which_it_has_stalled() -> None:
    async def scenario() -> None:
        body, reader = await _in_the_middle()
        assert body._waiting
        body._waiting.reschedule(asyncio.get_running_loop().time() - 1)
        await asyncio.sleep(0)
        assert body._waiting.expired()
        body.end()
        with pytest.raises(TooSlow):
            await reader

    asyncio.run(scenario())


def test_a_body_that_has_come_is_not_ended_by_a_later_one() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"123", "more_body": False}

    async def scenario() -> None:
        headers = [(b"content-length", b"3")]
        body = RawBody(Request({"type": "http", "method": "PATCH", "headers": headers}, receive))
        async for block in body:
            assert block == b"123"
            body.end()
        assert not body.is_ended

    asyncio.run(scenario())


def test_a_body_that_lost_its_turn_leaves_the_one_that_came_after_it() -> None:
    """A client that stalls is still being read when the next request has its turn."""

    async def scenario() -> None:
        upload_id = uuid4()
        (first, first_reader), (second, second_reader) = await _in_the_middle(), await _in_the_middle()
        with ExitStack() as earlier, ExitStack() as later:
            earlier.enter_context(receiving._known(upload_id, first))
            later.enter_context(receiving._known(upload_id, second))
            earlier.close()
            receiving.interrupt(upload_id)
            with pytest.raises(TooSlow):
                await second_reader
        first_reader.cancel()

    asyncio.run(scenario())


async def test_a_body_that_has_come_whole_before_it_is_ended_is_kept() -> None:
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b"whole", "more_body": True}, {"type": "http.request"}]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    headers = [(b"content-length", b"5")]
    body = RawBody(Request({"type": "http", "method": "PATCH", "headers": headers}, receive))
    async for block in body:
        # It is being written when its client comes back.
        assert block == b"whole"
        body.end()
