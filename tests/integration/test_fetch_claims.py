"""Who fetches what, and when: one worker at a time, everyone's turn, and what ends a fetch from outside."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from common.blob import ObjectStore, StoreUnavailable
from common.db import Database, DatabaseUnavailable
from common.errors import Conflict
from tests.conftest import ROOT, MakeDatabase
from tests.integration.running_fetches import PIECE, STRONG, Bench, Content, bench_on, ranges, serving, somebody
from tests.integration.running_remote import Remote, Request, answers, opened, remote
from upload_service.fetch_model import FetchState
from upload_service.model import UploadSession
from upload_service.operations import chunks, expiring, fetch_content, fetch_jobs, fetch_work, fetching, owning
from upload_service.operations.chunks import StoredChunk
from upload_service.operations.context import Context
from upload_service.operations.fetch_jobs import TooManyFetches
from upload_service.operations.fetch_work import Fetching
from upload_service.queries import fetches

SIZE = 2 * PIECE + 7


@pytest.fixture
def database_url(make_database: MakeDatabase) -> str:
    return make_database(ROOT / "services/upload/migrations")


@pytest.fixture
async def bench(database_url: str, store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Bench]:
    monkeypatch.setattr(fetch_content, "PIECE", PIECE)
    monkeypatch.setattr(fetching, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(fetching, "TELL", timedelta(milliseconds=20))
    async with opened("127.0.0.0/8", stall_seconds=20) as outbound, bench_on(database_url, store, outbound) as bench:
        yield bench


@pytest.fixture
async def other(database_url: str, store: ObjectStore, bench: Bench) -> AsyncGenerator[Bench]:
    """Another worker."""
    async with bench_on(database_url, store, bench.fetching.outbound) as other:
        other.account, other.share = bench.account, bench.share
        other.peer.stand_in = bench.share
        yield other


class Halting(Content):
    """A server that hardly goes on after some bytes of its first answer, until it may."""

    def __init__(self, data: bytes, at: int) -> None:
        super().__init__(data)
        self.at, self.goes_on, self.reached = at, asyncio.Event(), asyncio.Event()

    async def __call__(self, request: Request, writer: asyncio.StreamWriter) -> None:
        if self.reached.is_set():
            await super().__call__(request, writer)
            return
        writer.write(f"HTTP/1.1 200 OK\n{STRONG}Content-Length: {len(self.data)}\n\n".replace("\n", "\r\n").encode())
        writer.write(self.data[: self.at])
        await writer.drain()
        self.reached.set()
        sent = self.at
        while not self.goes_on.is_set():
            # One byte now and then: a client that has gone does not take it.
            writer.write(self.data[sent : sent + 1])
            sent += 1
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.write(self.data[sent:])


async def halfway(bench: Bench, server: Remote, content: Halting) -> tuple[UUID, asyncio.Task[object]]:
    """A fetch whose first piece is stored, while its worker waits for more of the second one."""
    fetch_id = await bench.ask(server.url())
    running = asyncio.create_task(bench.run(fetch_id), name="worker")

    async def stored() -> bool:
        return (await bench.look(fetch_id)).bytes_done >= content.at

    await bench.until(stored)
    return fetch_id, running


async def dies(running: asyncio.Task[object], monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker ends without a word, as if it had been killed."""

    async def silent(*_: object) -> None: ...

    with monkeypatch.context() as patched:
        patched.setattr(fetches, "drop_claim", silent)
        patched.setattr("upload_service.queries.parts.drop_part", silent)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def leases_run_out(bench: Bench) -> None:
    await bench.ask_rows("update fetch_job set lease_until = now() - interval '1 second' where lease_until is not null")
    await bench.ask_rows("update part set lease_until = now() - interval '1 second' where stored_at is null")


async def one_file_is_left(bench: Bench) -> None:
    await bench.sweep()
    assert [thing.split()[0] for thing in sorted(await bench.left())] == ["blob", "file", "object"]
    assert len({made["origin"] for made in bench.share.made}) == 1


async def nothing_is_left(bench: Bench) -> None:
    await bench.sweep()
    assert await bench.left() == []


async def test_a_worker_that_takes_over_fetches_only_the_rest(
    bench: Bench, other: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Halting(secrets.token_bytes(SIZE), PIECE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        await dies(running, monkeypatch)
        # Nobody knows yet that it died.
        await other.run(fetch_id)
        assert len(server.requests) == 1
        await leases_run_out(bench)
        await bench.sweep()
        assert bench.queue.fetches[-1] == fetch_id
        done = await other.run(fetch_id)
    assert await bench.content(done) == content.data
    assert ranges(server) == [None, f"bytes={PIECE}-"]
    await one_file_is_left(bench)


async def test_a_worker_that_ends_in_order_is_followed_at_once(bench: Bench, other: Bench) -> None:
    content = Halting(secrets.token_bytes(SIZE), PIECE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert await bench.content(await other.run(fetch_id)) == content.data
    await one_file_is_left(bench)


async def test_a_message_that_comes_twice_is_one_fetch(bench: Bench, other: Bench) -> None:
    content = Halting(secrets.token_bytes(SIZE), PIECE + 5)
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
    """Its claim was taken over while it was held up; it stores a piece all the same, and the other one goes on."""
    # It does not notice by itself.
    monkeypatch.setattr(fetching, "TELL", timedelta(seconds=60))
    monkeypatch.setattr(fetch_work, "LEASE", timedelta(seconds=0.2))
    content = Halting(secrets.token_bytes(SIZE), PIECE + 5)
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


async def test_a_piece_that_another_worker_stored_just_before_is_passed_over(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next piece is then still what comes behind it."""
    put = chunks.put_part

    async def content_of(index: int) -> AsyncIterator[bytes]:
        yield content.data[index * PIECE : (index + 1) * PIECE]

    async def late(context: Context, session: UploadSession, index: int, blocks: AsyncIterable[bytes]) -> StoredChunk:
        if index == 1:
            await put(context, session, index, content_of(index))
        return await put(context, session, index, blocks)

    monkeypatch.setattr(chunks, "put_part", late)
    async with serving(secrets.token_bytes(SIZE)) as (server, content):
        assert await bench.content(await bench.fetch(server.url())) == content.data


async def test_a_worker_that_was_given_up_takes_nothing_from_its_follower(
    bench: Bench, other: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It does not notice by itself.
    monkeypatch.setattr(fetching, "TELL", timedelta(seconds=60))

    async def taken_over(request: Request, writer: asyncio.StreamWriter) -> None:
        await leases_run_out(bench)
        await fetch_work.claim_fetch(other.fetching, fetch_id)
        await answers("416 Range Not Satisfiable", "Content-Length: 0\n")(request, writer)

    async with serving(secrets.token_bytes(SIZE), cuts=[PIECE + 5], misbehaves=taken_over) as (server, content):
        fetch_id = await bench.ask(server.url())
        await bench.run(fetch_id)
        await leases_run_out(bench)
        content.misbehaves = None
        assert await bench.content(await other.run(fetch_id)) == content.data
    assert ranges(server)[-1] == f"bytes={PIECE}-"
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


@pytest.mark.parametrize("piece", [1, 2, 3])
async def test_a_store_that_is_away_for_a_moment_costs_a_piece(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    put, calls = ObjectStore.put_part, 0

    async def failing(*given: object) -> object:
        nonlocal calls
        calls += 1
        if calls == piece:
            raise StoreUnavailable
        return await put(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(ObjectStore, "put_part", failing)
    async with serving(secrets.token_bytes(SIZE)) as (server, content):
        fetch = await bench.fetch(server.url())
        assert (fetch.state, fetch.error) == (FetchState.FETCHING, None)
        await bench.sweep()
        assert bench.queue.fetches[-1] == fetch.id
        assert await bench.content(await bench.run(fetch.id)) == content.data
    assert ranges(server) == [None, f"bytes={(piece - 1) * PIECE}-" if piece > 1 else None]
    await one_file_is_left(bench)


async def test_a_database_that_is_away_for_a_moment_costs_nothing_that_is_stored(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Halting(secrets.token_bytes(SIZE), PIECE + 5)
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
    assert ranges(server)[1:] == [f"bytes={PIECE}-"]
    await one_file_is_left(bench)


async def test_chunks_that_the_store_lost_are_fetched_again(bench: Bench) -> None:
    content = Halting(secrets.token_bytes(SIZE), PIECE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        ((key, multipart),) = await bench.ask_rows("select object_key, multipart_id from upload_session")
        await bench.context.store.abort_multipart(key, multipart)
        content.goes_on.set()
        await running
        assert (await bench.look(fetch_id)).state is FetchState.FETCHING
        assert await bench.content(await bench.run(fetch_id)) == content.data
    await one_file_is_left(bench)


async def test_what_is_canceled_before_it_began_is_not_fetched(bench: Bench) -> None:
    async with serving(b"abc") as (server, _):
        fetch_id = await bench.ask(server.url().replace("http://", "http://user:secret@"))
        await fetch_jobs.cancel_fetch(bench.context, bench.fetching.shares, await bench.look(fetch_id))
        fetch = await bench.run(fetch_id)
    assert fetch.state is FetchState.CANCELED
    assert "secret" not in fetch.url
    assert server.requests == []
    with pytest.raises(Conflict):
        await fetch_jobs.cancel_fetch(bench.context, bench.fetching.shares, fetch)
    await nothing_is_left(bench)


@pytest.mark.parametrize("size", [1000, SIZE])
async def test_what_is_canceled_lets_go_of_the_remote_server_and_leaves_nothing(bench: Bench, size: int) -> None:
    content = Halting(secrets.token_bytes(size), 500 if size == 1000 else PIECE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        await fetch_jobs.cancel_fetch(bench.context, bench.fetching.shares, await bench.look(fetch_id))
        await asyncio.wait_for(server.left.wait(), 1)
        await running
    assert (await bench.look(fetch_id)).state is FetchState.CANCELED
    await nothing_is_left(bench)


async def test_an_account_that_is_erased_leaves_nothing(bench: Bench) -> None:
    content = Halting(secrets.token_bytes(SIZE), PIECE + 5)
    async with remote(content) as server:
        fetch_id = await bench.ask(server.url())
        running = asyncio.create_task(fetching.run_fetch(bench.fetching, fetch_id))
        await bench.until(content.reached.is_set)
        await expiring.erase_account(bench.context, bench.account.account_id)
        await asyncio.wait_for(server.left.wait(), 1)
        await running
    assert await bench.ask_rows("select * from fetch_job") == []
    await nothing_is_left(bench)


async def test_an_account_that_is_erased_before_the_answer_comes_leaves_nothing(bench: Bench) -> None:
    async def respond(request: Request, writer: asyncio.StreamWriter) -> None:
        await expiring.erase_account(bench.context, bench.account.account_id)
        await answers("200 OK", "Content-Length: 3\n", b"abc")(request, writer)

    async with remote(respond) as server:
        await fetching.run_fetch(bench.fetching, await bench.ask(server.url()))
    await nothing_is_left(bench)
    assert bench.share.made == []


async def cancels(bench: Bench, fetch_id: UUID) -> None:
    await fetch_jobs.cancel_fetch(bench.context, bench.fetching.shares, await bench.look(fetch_id))


async def deletes_the_file(bench: Bench, _: UUID) -> None:
    (file,) = await bench.files()
    await owning.delete_file(bench.context, bench.fetching.shares, bench.account, file)


async def erases_the_account(bench: Bench, _: UUID) -> None:
    await expiring.erase_account(bench.context, bench.account.account_id)


@pytest.mark.parametrize("ends", [cancels, deletes_the_file, erases_the_account])
@pytest.mark.parametrize("size", [100, SIZE])
async def test_what_is_ended_at_the_last_moment_leaves_no_share(bench: Bench, ends: object, size: int) -> None:
    """The share is made while somebody ends what it is of, and its shares, of which this one is none yet."""

    async def end() -> None:
        bench.share.made.clear()
        await ends(bench, fetch_id)  # type: ignore[operator]
        bench.share.ended.clear()

    bench.peer.before = end
    async with serving(secrets.token_bytes(size)) as (server, _):
        fetch_id = await bench.ask(server.url())
        await fetching.run_fetch(bench.fetching, fetch_id)
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
    """The verifier may be about to make the object a blob, which others may then refer to."""
    content = Halting(secrets.token_bytes(SIZE), PIECE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        # What another worker finishes is read back, by a verifier that is away for now.
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

    content = Halting(secrets.token_bytes(SIZE), PIECE + 5)
    async with remote(content) as server:
        fetch_id, running = await halfway(bench, server, content)
        with monkeypatch.context() as patched:
            patched.setattr(fetch_jobs, "clear_away", crashes)
            with pytest.raises(KeyboardInterrupt):
                await cancels(bench, fetch_id)
        await running
    assert "session open" in await bench.left()
    await nothing_is_left(bench)


async def test_a_session_that_ran_out_begins_anew(bench: Bench) -> None:
    async with serving(secrets.token_bytes(SIZE)) as (server, content):
        bench.share.is_down = True
        content.cuts = [PIECE + 5]
        fetch_id = await bench.ask(server.url())
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(fetching, "FIRST_WAIT_SECONDS", 60)
            running = asyncio.create_task(bench.run(fetch_id))
            await bench.until(lambda: not content.cuts)

            async def noted() -> bool:
                return (await bench.look(fetch_id)).error == "remote_unavailable"

            await bench.until(noted)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await bench.ask_rows("update upload_session set expires_at = now()")
        bench.share.is_down = False
        assert await bench.content(await bench.run(fetch_id)) == content.data
    assert ranges(server) == [None, None]
    await one_file_is_left(bench)


async def test_so_many_are_fetched_at_once(bench: Bench) -> None:
    bench.fetching = Fetching(bench.context, bench.fetching.shares, bench.fetching.outbound, 3, 2)
    accounts = [somebody() for _ in range(3)]
    async with remote(forever_open) as server:
        asked = [await bench.ask(server.url(), account=account) for account in accounts for _ in range(3)]
        running = [asyncio.create_task(bench.run(fetch_id)) for fetch_id in asked]

        async def states() -> list[tuple[object, ...]]:
            return await bench.ask_rows("select owner, count(*) from fetch_job where state = 'fetching' group by owner")

        async def settled() -> bool:
            return sum(int(str(row[1])) for row in await states()) == 3

        await bench.until(settled)
        await bench.until(lambda: sum(task.done() for task in running) == 6)
        assert max(int(str(row[1])) for row in await states()) <= 2
        assert server.connections <= 3
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def forever_open(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
    await asyncio.Event().wait()


async def test_everyone_has_a_turn(bench: Bench) -> None:
    """Who has asked for much does not keep others waiting: first everyone's first, then everyone's second."""
    many, few = somebody(), somebody()
    crowd = [await bench.ask("http://files.example/", account=many) for _ in range(3)]
    last = await bench.ask("http://files.example/", account=few)
    async with bench.context.db.connection() as connection:
        assert await fetches.waiting_fetches(connection, 10) == [crowd[0], last, crowd[1], crowd[2]]
        assert await fetches.waiting_fetches(connection, 2) == [crowd[0], last]
    # What is being fetched is the account's first already.
    await fetch_work.claim_fetch(bench.fetching, crowd[0])
    async with bench.context.db.connection() as connection:
        assert await fetches.waiting_fetches(connection, 10) == [last, crowd[1], crowd[2]]


async def test_the_next_are_requested_when_one_is_over(bench: Bench) -> None:
    async with serving(b"abc") as (server, _):
        first, second = [await bench.ask(server.url()) for _ in range(2)]
        bench.queue.fetches.clear()
        await bench.run(first)
    assert bench.queue.fetches == [second]


async def test_an_account_has_so_many_open_fetches(bench: Bench) -> None:
    new = fetch_jobs.NewFetch("http://files.example/", fetch_jobs.ShareTerms(), 1, timedelta(hours=1))

    async def ask() -> object:
        return await fetch_jobs.request_fetch(bench.context, bench.account, new, most_open=3)

    answered = await asyncio.gather(*(ask() for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, TooManyFetches) for answer in answered) == 5
    await fetch_jobs.request_fetch(bench.context, somebody(), new, most_open=3)
    await bench.ask_rows("update fetch_job set state = 'canceled' where owner = %(id)s", id=bench.account.account_id)
    await ask()


async def test_what_was_settled_long_ago_is_forgotten(bench: Bench) -> None:
    async with serving(b"abc") as (server, _):
        done, waiting = await bench.fetch(server.url()), await bench.ask(server.url())
    await bench.ask_rows("update fetch_job set changed_at = now() - interval '29 days'")
    await bench.sweep()
    assert len(await bench.ask_rows("select * from fetch_job")) == 2
    await bench.ask_rows("update fetch_job set changed_at = now() - interval '31 days'")
    await bench.sweep()
    assert await bench.ask_rows("select id from fetch_job") == [(waiting,)]
    assert await bench.content(done) == b"abc"
