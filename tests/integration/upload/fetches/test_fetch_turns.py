"""Limits on the fetches that run at once, and the turns of accounts."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.integration.running_remote import Request, answers, remote
from tests.integration.upload.fetches.running_fetches import Bench, serving, somebody
from upload_service.fetches import jobs, queries
from upload_service.fetches import running as fetching
from upload_service.fetches import work as fetch_work
from upload_service.fetches.jobs import TooManyFetches
from upload_service.fetches.model import FetchState

STALL_SECONDS = 20
"""The servers of these tests halt."""


async def test_so_many_are_fetched_at_once(bench: Bench) -> None:
    bench.context = replace(bench.context, fetches_at_once=3, fetches_at_once_each=2)
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
    """An account with many fetches does not keep others waiting: first every account's first, then the seconds."""
    many, few = somebody(), somebody()
    crowd = [await bench.ask("http://files.example/", account=many) for _ in range(3)]
    last = await bench.ask("http://files.example/", account=few)
    async with bench.context.db.connection() as connection:
        assert await queries.waiting_fetches(connection, 10) == [crowd[0], last, crowd[1], crowd[2]]
        assert await queries.waiting_fetches(connection, 2) == [crowd[0], last]
    # The running fetch counts as the account's first.
    await fetch_work.claim(bench.context, crowd[0])
    async with bench.context.db.connection() as connection:
        assert await queries.waiting_fetches(connection, 10) == [last, crowd[1], crowd[2]]


async def test_time_spent_waiting_for_a_turn_is_not_the_fetchs(bench: Bench) -> None:
    async with serving(b"abc") as (server, _):
        fetch_id = await bench.ask(server.url(), lifetime=timedelta(seconds=60))
        day = "interval '1 day'"
        await bench.ask_rows(f"update fetch_job set created_at = created_at - {day}, ends_at = ends_at - {day}")
        assert await bench.content(await bench.run(fetch_id)) == b"abc"


async def test_a_fetch_that_was_begun_has_no_more_time_for_being_begun_again(bench: Bench) -> None:
    async with serving(b"abc") as (server, _):
        bench.share.is_down = True
        fetch = await bench.fetch(server.url())
        await bench.ask_rows("update fetch_job set ends_at = now()")
        bench.share.is_down = False
        fetch = await bench.run(fetch.id)
    assert (fetch.state, fetch.error) == (FetchState.FAILED, "fetch_too_slow")


async def test_the_next_are_requested_when_one_is_over(bench: Bench) -> None:
    async with serving(b"abc") as (server, _):
        first, second = [await bench.ask(server.url()) for _ in range(2)]
        bench.queue.fetches.clear()
        await bench.run(first)
    assert bench.queue.fetches == [second]


async def test_a_fetch_that_waits_for_another_attempt_keeps_no_place(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FIRST_WAIT", timedelta(seconds=60))
    bench.context = replace(bench.context, fetches_at_once=2, fetches_at_once_each=2)
    async with remote(answers("503 Away", "Content-Length: 0\n")) as dead, serving(b"abc") as (server, _):
        waiting = [await bench.ask(dead.url()) for _ in range(2)]
        good = await bench.ask(server.url())
        for fetch_id in waiting:
            fetch = await bench.attempt(fetch_id)
            assert (fetch.state, fetch.error) == (FetchState.FETCHING, "remote_refused")
        assert bench.queue.fetches[-1] == good
        assert await bench.content(await bench.attempt(good)) == b"abc"
        await bench.attempt(waiting[0])
        assert len(dead.requests) == 2
        await bench.ask_rows("update fetch_job set retry_at = now()")
        await bench.attempt(waiting[0])
        assert len(dead.requests) == 3


async def test_a_server_decides_when_it_is_asked_again(bench: Bench) -> None:
    async with remote(answers("429 Slowly", "Retry-After: 1800\nContent-Length: 0\n")) as server:
        fetch = await bench.attempt(await bench.ask(server.url()))
        assert fetch.state is FetchState.FETCHING
        ((seconds,),) = await bench.ask_rows("select extract(epoch from retry_at - now()) from fetch_job")
        assert 1700 < seconds <= 1800
        late = await bench.fetch(server.url(), lifetime=timedelta(minutes=20))
    assert (late.state, late.error) == (FetchState.FAILED, "remote_refused")
    assert len(server.requests) == 2


async def test_an_account_may_have_so_many_open_fetches(bench: Bench) -> None:
    context = replace(bench.context, fetches_open=3)
    new = jobs.NewFetch("http://files.example/", jobs.ShareTerms(), 1)

    async def ask() -> object:
        return await jobs.request_fetch(context, bench.account, new)

    answered = await asyncio.gather(*(ask() for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, TooManyFetches) for answer in answered) == 5
    await jobs.request_fetch(context, somebody(), new)
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


async def test_nobody_waits_for_other_accounts_fetches_to_be_counted(bench: Bench) -> None:
    """Requests do not wait for one another, unless of one account; and no claim waits while all places are taken."""
    busy = somebody()
    async with bench.context.db.transaction() as connection:
        await queries.lock_fetches_of(connection, busy.account_id)
        assert await queries.lock_claims(connection, 1)
        first = await asyncio.wait_for(bench.ask("http://files.example/"), STALL_SECONDS)
        late = asyncio.create_task(bench.ask("http://files.example/", account=busy))
        await bench.until(lambda: waits_for_a_lock(bench))
        assert not late.done()
    await late
    bench.context = replace(bench.context, fetches_at_once=1)
    assert await fetch_work.claim(bench.context, first)
    async with bench.context.db.transaction() as connection:
        assert await queries.lock_claims(connection, 2)
        assert await asyncio.wait_for(fetch_work.claim(bench.context, await late), STALL_SECONDS) is None


async def waits_for_a_lock(bench: Bench) -> bool:
    return bool(await bench.ask_rows("select 1 from pg_locks where locktype = 'advisory' and not granted"))
