"""One worker at a time has a fetch, and another one continues where it ended."""

import asyncio
import secrets
from collections.abc import AsyncIterable, AsyncIterator
from datetime import timedelta

import pytest

from common.db import Database, DatabaseUnavailable
from common.store import StoreUnavailable
from common.store.s3 import S3Store
from tests.integration.running_remote import Request, answers, remote
from tests.integration.upload.fetches.halting import Halting, dies, halfway, leases_run_out, one_file_is_left
from tests.integration.upload.fetches.running_fetches import PART_SIZE, Bench, ranges, serving
from upload_service.content import storing
from upload_service.content.model import UploadSession
from upload_service.content.storing import PartReceipt
from upload_service.context import Context
from upload_service.fetches import running as fetching
from upload_service.fetches import work as fetch_work
from upload_service.fetches.model import FetchState

SIZE = 2 * PART_SIZE + 7
STALL_SECONDS = 20
"""The servers of these tests halt."""


async def test_a_worker_that_takes_over_fetches_only_the_rest(
    bench: Bench, other: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Halting(secrets.token_bytes(SIZE), PART_SIZE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        await dies(running, monkeypatch)
        # The claim has not run out yet.
        await other.run(fetch_id)
        assert len(server.requests) == 1
        await leases_run_out(bench)
        await bench.sweep()
        assert bench.queue.fetches[-1] == fetch_id
        done = await other.run(fetch_id)
    assert await bench.content(done) == content.data
    assert ranges(server) == [None, f"bytes={PART_SIZE}-"]
    await one_file_is_left(bench)


async def test_a_worker_that_ends_in_order_is_followed_at_once(bench: Bench, other: Bench) -> None:
    content = Halting(secrets.token_bytes(SIZE), PART_SIZE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert await bench.content(await other.run(fetch_id)) == content.data
    await one_file_is_left(bench)


async def test_a_message_that_comes_twice_is_one_fetch(bench: Bench, other: Bench) -> None:
    content = Halting(secrets.token_bytes(SIZE), PART_SIZE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        await asyncio.gather(other.run(fetch_id), other.run(fetch_id), bench.run(fetch_id))
        content.goes_on.set()
        await running
        done = await other.run(fetch_id)
    assert await bench.content(done) == content.data
    assert len(server.requests) == 1
    await one_file_is_left(bench)


async def test_a_worker_that_was_given_up_but_lives_harms_nothing(
    bench: Bench, other: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim was taken over while it was held up. It stores a part all the same, and the other one continues."""
    # The worker does not notice by itself.
    monkeypatch.setattr(fetching, "PROGRESS_EVERY", timedelta(seconds=60))
    monkeypatch.setattr(fetch_work, "LEASE", timedelta(seconds=0.2))
    content = Halting(secrets.token_bytes(SIZE), PART_SIZE + 5)
    async with remote(content) as server:
        fetch_id = await bench.ask(server.url())
        running = asyncio.create_task(bench.run(fetch_id))
        await content.reached.wait()

        async def one_is_stored() -> bool:
            return await bench.ask_rows("select count(*) from part where stored_at is not null") == [(1,)]

        await bench.until(one_is_stored)
        await asyncio.sleep(0.25)
        taken_over = asyncio.create_task(other.run(fetch_id))
        await bench.until(lambda: len(server.requests) == 2)
        content.goes_on.set()
        done = await taken_over
        await running
    assert await bench.content(done) == content.data
    assert (await bench.look(fetch_id)).state is FetchState.DONE
    await one_file_is_left(bench)


async def test_a_part_that_another_worker_stored_just_before_is_passed_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next part still has the bytes that follow it."""
    put = storing.store_part

    async def content_of(index: int) -> AsyncIterator[bytes]:
        yield content.data[index * PART_SIZE : (index + 1) * PART_SIZE]

    async def late(context: Context, session: UploadSession, index: int, blocks: AsyncIterable[bytes]) -> PartReceipt:
        if index == 1:
            await put(context, session, index, content_of(index))
        return await put(context, session, index, blocks)

    monkeypatch.setattr(storing, "store_part", late)
    async with serving(secrets.token_bytes(SIZE)) as (server, content):
        assert await bench.content(await bench.fetch(server.url())) == content.data


async def test_a_worker_that_was_given_up_takes_nothing_from_its_follower(
    bench: Bench, other: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The worker does not notice by itself.
    monkeypatch.setattr(fetching, "PROGRESS_EVERY", timedelta(seconds=60))

    async def taken_over(request: Request, writer: asyncio.StreamWriter) -> None:
        await leases_run_out(bench)
        await fetch_work.claim(other.context, fetch_id)
        await answers("416 Range Not Satisfiable", "Content-Length: 0\n")(request, writer)

    async with serving(secrets.token_bytes(SIZE), cuts=[PART_SIZE + 5], misbehaves=taken_over) as (server, content):
        fetch_id = await bench.ask(server.url())
        await bench.run(fetch_id)
        await leases_run_out(bench)
        content.misbehaves = None
        assert await bench.content(await other.run(fetch_id)) == content.data
    assert ranges(server)[-1] == f"bytes={PART_SIZE}-"
    await one_file_is_left(bench)


@pytest.mark.parametrize("size", [100, SIZE])
async def test_a_worker_that_dies_between_file_and_share_is_followed(
    bench: Bench, other: Bench, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    data = secrets.token_bytes(size)
    stuck = asyncio.Event()

    async def never() -> None:
        stuck.set()
        await asyncio.Event().wait()

    bench.peer.before = never
    async with serving(data) as (server, _):
        fetch_id = await bench.ask(server.url())
        running = asyncio.create_task(bench.run(fetch_id))
        await stuck.wait()
        await dies(running, monkeypatch)
        await leases_run_out(bench)
        done = await other.run(fetch_id)
    assert await bench.content(done) == data
    assert len(server.requests) == 1
    await one_file_is_left(bench)


@pytest.mark.parametrize("size", [100, SIZE])
async def test_share_that_is_down_is_waited_for(bench: Bench, size: int) -> None:
    async with serving(secrets.token_bytes(size)) as (server, content):
        bench.share.is_down = True
        fetch = await bench.fetch(server.url())
        assert fetch.state is FetchState.FETCHING
        bench.share.is_down = False
        await bench.sweep()
        assert bench.queue.fetches[-1] == fetch.id
        assert await bench.content(await bench.run(fetch.id)) == content.data
    assert len(server.requests) == 1
    await one_file_is_left(bench)


@pytest.mark.parametrize("part", [1, 2, 3])
async def test_a_store_that_is_away_for_a_moment_costs_a_part(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    put, calls = S3Store.put_part, 0

    async def failing(*given: object, **more: object) -> object:
        nonlocal calls
        calls += 1
        if calls == part:
            raise StoreUnavailable
        return await put(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(S3Store, "put_part", failing)
    async with serving(secrets.token_bytes(SIZE)) as (server, content):
        fetch = await bench.fetch(server.url())
        assert (fetch.state, fetch.error) == (FetchState.FETCHING, None)
        await bench.sweep()
        assert bench.queue.fetches[-1] == fetch.id
        assert await bench.content(await bench.run(fetch.id)) == content.data
    assert ranges(server) == [None, f"bytes={(part - 1) * PART_SIZE}-" if part > 1 else None]
    await one_file_is_left(bench)


async def test_a_database_that_is_away_for_a_moment_costs_nothing_that_is_stored(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Halting(secrets.token_bytes(SIZE), PART_SIZE + 5)
    away = False
    connection = Database.connection

    def failing(self: Database) -> object:
        if away and self is bench.context.db:
            raise DatabaseUnavailable
        return connection(self)

    monkeypatch.setattr(Database, "connection", failing)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        away = True
        content.goes_on.set()
        await asyncio.gather(running, return_exceptions=True)
        away = False
        assert (await bench.look(fetch_id)).state is FetchState.FETCHING
        await leases_run_out(bench)
        assert await bench.content(await bench.run(fetch_id)) == content.data
    assert ranges(server)[1:] == [f"bytes={PART_SIZE}-"]
    await one_file_is_left(bench)


async def test_chunks_that_the_store_lost_are_fetched_again(bench: Bench) -> None:
    content = Halting(secrets.token_bytes(SIZE), PART_SIZE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        ((key, multipart),) = await bench.ask_rows("select object_key, multipart_id from upload_session")
        await bench.context.store.abort_multipart(key, multipart)
        content.goes_on.set()
        await running
        assert (await bench.look(fetch_id)).state is FetchState.FETCHING
        assert await bench.content(await bench.run(fetch_id)) == content.data
    await one_file_is_left(bench)


async def test_a_session_that_ran_out_begins_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    away = answers("503 Service Unavailable", "Content-Length: 0\n")
    async with serving(secrets.token_bytes(SIZE), cuts=[PART_SIZE + 5], misbehaves=away) as (server, content):
        with monkeypatch.context() as patched:
            patched.setattr(fetching, "FIRST_WAIT", timedelta(seconds=60))
            fetch = await bench.attempt(await bench.ask(server.url()))
        assert (fetch.state, fetch.error) == (FetchState.FETCHING, "remote_refused")
        await bench.ask_rows("update upload_session set expires_at = now()")
        await bench.ask_rows("update fetch_job set retry_at = now()")
        assert await bench.content(await bench.run(fetch.id)) == content.data
    assert ranges(server)[-1] is None
    await one_file_is_left(bench)
