"""Fetches that are ended from outside leave no share and nothing else."""

import asyncio
import secrets
from uuid import UUID

import pytest

from common.audit import Author
from common.errors import Conflict
from tests.integration.running_remote import Request, answers, remote
from tests.integration.upload.fetches.halting import Halting, halfway, nothing_is_left
from tests.integration.upload.fetches.running_fetches import PART_SIZE, PATIENCE_SECONDS, Bench, serving
from upload_service.accounts.erasing import erase_account
from upload_service.content import owning
from upload_service.fetches import jobs
from upload_service.fetches import running as fetching
from upload_service.fetches.model import FetchState

SIZE = 2 * PART_SIZE + 7
STALL_SECONDS = 20
"""The servers of these tests halt."""


async def test_what_is_canceled_before_it_began_is_not_fetched(bench: Bench) -> None:
    async with serving(b"abc") as (server, _):
        fetch_id = await bench.ask(server.url().replace("http://", "http://user:secret@"))
        await jobs.cancel_fetch(bench.context, await bench.look(fetch_id))
        fetch = await bench.run(fetch_id)
    assert fetch.state is FetchState.CANCELED
    assert "secret" not in fetch.url
    assert server.requests == []
    with pytest.raises(Conflict):
        await jobs.cancel_fetch(bench.context, fetch)
    await nothing_is_left(bench)


@pytest.mark.parametrize("size", [1000, SIZE])
async def test_what_is_canceled_lets_go_of_the_remote_server_and_leaves_nothing(bench: Bench, size: int) -> None:
    content = Halting(secrets.token_bytes(size), 500 if size == 1000 else PART_SIZE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        await jobs.cancel_fetch(bench.context, await bench.look(fetch_id))
        await asyncio.wait_for(server.left.wait(), PATIENCE_SECONDS)
        await running
    assert (await bench.look(fetch_id)).state is FetchState.CANCELED
    await nothing_is_left(bench)


async def test_an_account_that_is_erased_leaves_nothing(bench: Bench) -> None:
    content = Halting(secrets.token_bytes(SIZE), PART_SIZE + 5)
    async with remote(content) as server:
        fetch_id = await bench.ask(server.url())
        running = asyncio.create_task(fetching.run_fetch(bench.context, fetch_id))
        await bench.until(content.reached.is_set)
        await erase_account(bench.context, bench.account.account_id)
        await asyncio.wait_for(server.left.wait(), PATIENCE_SECONDS)
        await running
    assert await bench.ask_rows("select * from fetch_job") == []
    await nothing_is_left(bench)


async def test_an_account_that_is_erased_before_the_answer_comes_leaves_nothing(bench: Bench) -> None:
    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        await erase_account(bench.context, bench.account.account_id)
        await answers("200 OK", "Content-Length: 3\n", b"abc")(request, writer)

    async with remote(respond) as server:
        await fetching.run_fetch(bench.context, await bench.ask(server.url()))
    await nothing_is_left(bench)
    assert bench.share.made == []


async def cancels(bench: Bench, fetch_id: UUID) -> None:
    await jobs.cancel_fetch(bench.context, await bench.look(fetch_id))


async def deletes_the_file(bench: Bench, _: UUID) -> None:
    (file,) = await bench.files()
    await owning.end_file(bench.context, Author(bench.account, "127.0.0.1"), file)


async def erases_the_account(bench: Bench, _: UUID) -> None:
    await erase_account(bench.context, bench.account.account_id)


@pytest.mark.parametrize("ends", [cancels, deletes_the_file, erases_the_account])
@pytest.mark.parametrize("size", [100, SIZE])
async def test_what_is_ended_at_the_last_moment_leaves_no_share(bench: Bench, ends: object, size: int) -> None:
    """The share is made while its file is ended together with its shares, among which this one is not yet."""

    async def end() -> None:
        bench.share.made.clear()
        await ends(bench, fetch_id)  # type: ignore[operator]
        bench.share.ended.clear()

    bench.peer.before = end
    async with serving(secrets.token_bytes(size)) as (server, _):
        fetch_id = await bench.ask(server.url())
        await fetching.run_fetch(bench.context, fetch_id)
    if ends is not erases_the_account:
        fetch = await bench.look(fetch_id)
        assert (fetch.state, fetch.error) in ((FetchState.CANCELED, None), (FetchState.FAILED, "file_deleted"))
    await bench.sweep()
    assert len(bench.share.ended) >= 1
    await nothing_is_left(bench)


async def test_a_file_that_is_deleted_before_its_share_is_not_fetched_again(bench: Bench) -> None:
    async with serving(b"abc") as (server, _):
        bench.share.is_down = True
        fetch = await bench.fetch(server.url())
        await deletes_the_file(bench, fetch.id)
        bench.share.is_down = False
        await bench.sweep()
        fetch = await bench.run(fetch.id)
    assert (fetch.state, fetch.error) == (FetchState.FAILED, "file_deleted")
    assert len(server.requests) == 1
    await nothing_is_left(bench)


async def test_what_is_canceled_while_it_is_verified_takes_nothing_from_the_verifier(
    bench: Bench, other: Bench
) -> None:
    """The verifier may be about to turn the object into a blob, to which others may then refer."""
    content = Halting(secrets.token_bytes(SIZE), PART_SIZE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        # A session that another worker finishes must be read back, and the verifier is away for now.
        verifier, other.queue.verifier = other.queue.verifier, None
        running = asyncio.create_task(other.run(fetch_id))
        await bench.until(lambda: other.queue.verifications)
        await cancels(bench, fetch_id)
        await running
        ((key,),) = await bench.ask_rows("select object_key from upload_session")
        other.queue.verifier = verifier
        await other.queue.verify(other.queue.verifications[0])
        await asyncio.gather(*other.queue.tasks)
    assert await bench.ask_rows("select state from upload_session") == [("ready",)]
    assert await bench.context.store.stat(key) is None
    await nothing_is_left(bench)


async def test_what_was_left_behind_by_a_crash_is_cleared_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def crashes(*_: object) -> None:
        raise KeyboardInterrupt

    content = Halting(secrets.token_bytes(SIZE), PART_SIZE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        with monkeypatch.context() as patched:
            patched.setattr(jobs, "clear_away", crashes)
            with pytest.raises(KeyboardInterrupt):
                await cancels(bench, fetch_id)
        await running
    assert "session open" in await bench.left()
    await nothing_is_left(bench)
