"""Fetched content becomes a file of the account like any other, and a share."""

import asyncio
import hashlib
import secrets
from dataclasses import replace
from datetime import timedelta

import pytest

from common import clock
from common.errors import InvalidInput, NotFound
from tests.integration.running_remote import answers, opened, redirects, remote
from tests.integration.upload.fetches.running_fetches import PART_SIZE, Bench, serving
from upload_service.content.model import FileState
from upload_service.fetches import receiving
from upload_service.fetches import running as fetching
from upload_service.fetches.model import FetchState, ShareTerms
from upload_service.mirrors.wishes import MirrorNotFound


@pytest.mark.parametrize("size", [0, 1, PART_SIZE - 1, PART_SIZE, PART_SIZE + 1, 3 * PART_SIZE + 5])
@pytest.mark.parametrize("says_length", [True, False])
async def test_content_of_any_size_arrives_as_it_is(bench: Bench, size: int, says_length: bool) -> None:
    data = secrets.token_bytes(size)
    async with serving(data, says_length=says_length) as (server, _):
        done = await bench.fetch(server.url("/some.bin"))
    assert await bench.content(done) == data
    assert (done.state, done.size, done.bytes_done, done.error) == (FetchState.DONE, size, size, None)
    assert len(server.requests) == 1
    (file,) = await bench.files()
    assert (file.id, file.name, file.size, file.state) == (done.file_id, "some.bin", size, FileState.READY)
    assert file.sha256 == hashlib.sha256(data).digest()
    await bench.sweep()
    assert [thing.split()[0] for thing in sorted(await bench.left())] == ["blob", "file", "object"]


async def test_as_many_parts_as_an_object_can_have_are_enough(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "MAX_PARTS", 2)
    data = secrets.token_bytes(3 * PART_SIZE + 1)
    async with serving(data) as (server, _):
        assert await bench.content(await bench.fetch(server.url())) == data
    assert await bench.ask_rows("select count(*) from part") == [(2,)]


async def test_chunks_of_any_length_are_content(bench: Bench) -> None:
    chunked = "Transfer-Encoding: chunked\n"
    async with remote(answers("200 OK", chunked, b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\n\r\n")) as server:
        assert await bench.content(await bench.fetch(server.url())) == b"abcd"


@pytest.mark.parametrize("size", [100, 2 * PART_SIZE])
@pytest.mark.parametrize("right", [True, False])
async def test_content_is_what_was_said_or_it_is_not_kept(bench: Bench, size: int, right: bool) -> None:
    data = secrets.token_bytes(size)
    sha256 = hashlib.sha256(data if right else b"").digest()
    async with serving(data) as (server, _):
        fetch = await bench.fetch(server.url(), sha256=sha256)
    if right:
        assert await bench.content(fetch) == data
        return
    assert (fetch.state, fetch.error) == (FetchState.FAILED, "digest_mismatch")
    assert (fetch.file_id, fetch.share_code) == (None, None)
    assert len(server.requests) == 1
    await bench.sweep()
    assert await bench.left() == []
    assert bench.share.made == []


async def test_the_same_content_is_stored_once(bench: Bench) -> None:
    data = secrets.token_bytes(2 * PART_SIZE)
    async with serving(data) as (server, _):
        first, second = [await bench.fetch(server.url(f"/{number}")) for number in range(2)]
    assert first.file_id != second.file_id
    assert await bench.content(first) == await bench.content(second) == data
    await bench.sweep()
    assert [thing.split()[0] for thing in sorted(await bench.left())] == ["blob", "file", "file", "object"]


@pytest.mark.parametrize(
    ("asked", "said", "name"),
    [
        (None, None, "path.bin"),
        (None, "attachment; filename*=UTF-8''%C3%BC.txt", "ü.txt"),
        (None, 'attachment; filename="../../x"', "x"),
        ("asked.txt", "attachment; filename=said.txt", "asked.txt"),
        ("../asked\u202e.txt", None, "asked\u202e.txt"),
    ],
)
async def test_a_file_is_called_as_asked_or_said(bench: Bench, asked: str | None, said: str | None, name: str) -> None:
    headers = f"Content-Disposition: {said}\n" if said else ""
    async with serving(b"a", headers=headers) as (server, _):
        done = await bench.fetch(server.url("/some/path.bin?query=1"), file_name=asked)
    assert done.file_name == name
    assert [file.name for file in await bench.files()] == [name]
    assert bench.share.made[0]["name"] == name


async def test_a_file_is_called_as_where_it_was_found_in_the_end(bench: Bench) -> None:
    async with serving(b"a") as (end, _), remote(redirects(end.url("/end.txt"))) as server:
        assert (await bench.fetch(server.url("/begin"))).file_name == "end.txt"


async def test_the_share_is_as_it_was_asked_for(bench: Bench) -> None:
    ends = clock.now() + timedelta(days=1)
    async with serving(b"abc") as (server, _):
        done = await bench.fetch(server.url("/a"), terms=ShareTerms("page", ends, 3, "$argon2id$hash"))
    (made,) = bench.share.made
    assert done.file_id is not None
    assert done.share_code == "code1"
    assert {
        name: made[name] for name in ("form", "expires_at", "uses", "password_hash", "owner", "file_id", "size")
    } == {
        "form": "page",
        "expires_at": ends.isoformat(),
        "uses": 3,
        "password_hash": "$argon2id$hash",
        "owner": bench.account.account_id.hex,
        "file_id": done.file_id.hex,
        "size": 3,
    }


@pytest.mark.parametrize("mirrors", [[1], [0, -1], [2**31]])
async def test_a_mirror_that_the_account_may_not_use_is_found_before(bench: Bench, mirrors: list[int]) -> None:
    with pytest.raises(MirrorNotFound) as refused:
        await bench.ask("http://files.example/", mirrors=mirrors)
    assert isinstance(refused.value, NotFound)
    assert await bench.ask_rows("select * from fetch_job") == []
    assert bench.queue.fetches == []


@pytest.mark.parametrize("url", ["ftp://files.example/", "files.example", "http://:secret@files.example/"])
async def test_what_is_no_url_is_found_before(bench: Bench, url: str) -> None:
    with pytest.raises(InvalidInput):
        await bench.ask(url)
    assert await bench.ask_rows("select * from fetch_job") == []


async def test_credentials_are_used_and_then_forgotten(bench: Bench) -> None:
    async with serving(b"abc") as (server, _):
        url = server.url("/a").replace("http://", "http://user:secret@")
        asked = await bench.ask(url)
        assert (await bench.look(asked)).url == url
        done = await bench.run(asked)
        assert done.state is FetchState.DONE
        assert done.url == server.url("/a")
    assert server.requests[0].headers["authorization"].startswith("Basic ")


async def test_progress_is_told_while_it_lasts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PROGRESS_EVERY", timedelta(milliseconds=20))
    goes_on = asyncio.Event()
    data = secrets.token_bytes(2 * PART_SIZE)

    async def respond(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data[:PART_SIZE])
        await writer.drain()
        await goes_on.wait()
        writer.write(data[PART_SIZE:])

    async with remote(respond) as server, opened("127.0.0.0/8", stall_seconds=10) as outbound:
        bench.context = replace(bench.context, outbound=outbound)
        fetch_id = await bench.ask(server.url())
        running = asyncio.create_task(bench.run(fetch_id))

        async def told() -> bool:
            fetch = await bench.look(fetch_id)
            return (fetch.state, fetch.size, fetch.bytes_done) == (FetchState.FETCHING, 2 * PART_SIZE, PART_SIZE)

        await bench.until(told)
        goes_on.set()
        assert await bench.content(await running) == data


@pytest.mark.parametrize("status", ["202 Accepted", "204 No Content", "205 Reset Content", "226 IM Used"])
async def test_a_success_without_the_content_is_none(bench: Bench, status: str) -> None:
    async with remote(answers(status, "Content-Length: 0\n")) as server:
        fetch = await bench.fetch(server.url())
    assert (fetch.state, fetch.error) == (FetchState.FAILED, "remote_refused")
