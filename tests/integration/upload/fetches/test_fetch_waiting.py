"""Fetches whose results clients wait for."""

import asyncio
from dataclasses import replace

import pytest

from common.errors import RateLimited
from tests.integration.running_remote import answers, remote
from tests.integration.upload.fetches.running_fetches import MAX_SIZE, Bench, serving
from upload_service.fetches.jobs import NewFetch
from upload_service.fetches.model import Fetch, FetchState, ShareTerms
from upload_service.fetches.waiting import FetchEnded, fetch_now


async def stays() -> bool:
    return False


async def wait_for(bench: Bench, url: str, *, most_open: int = 10) -> Fetch:
    """Wait for a fetch while a worker does it."""
    new = NewFetch(url, ShareTerms("page"), MAX_SIZE)
    context = replace(bench.context, fetches_open=most_open)
    waiting = asyncio.create_task(fetch_now(context, bench.account, new, stays))
    await bench.until(lambda: bench.queue.fetches or waiting.done())
    for fetch_id in bench.queue.fetches:
        await bench.run(fetch_id)
    return await waiting


async def test_a_waiting_client_gets_the_result(bench: Bench) -> None:
    async with serving(b"abc") as (server, _):
        done = await wait_for(bench, server.url("/a.bin"))
    assert (done.state, done.file_name, done.size) == (FetchState.DONE, "a.bin", 3)
    assert [made["form"] for made in bench.share.made] == ["page"]
    assert done.share_code
    assert await bench.content(done) == b"abc"


async def test_a_waiting_client_is_told_why_a_fetch_failed(bench: Bench) -> None:
    async with remote(answers("404 Not Found", "Content-Length: 0\n")) as server:
        with pytest.raises(FetchEnded, match="404"):
            await wait_for(bench, server.url())


async def test_a_client_with_too_many_fetches_does_not_wait(bench: Bench) -> None:
    with pytest.raises(RateLimited):
        await wait_for(bench, "http://files.example/", most_open=0)


async def test_the_fetch_of_a_client_that_leaves_goes_on(bench: Bench) -> None:
    looks = 0

    async def leaves() -> bool:
        nonlocal looks
        looks += 1
        return looks > 2

    async with serving(b"abc") as (server, _):
        new = NewFetch(server.url(), ShareTerms("page"), MAX_SIZE)
        with pytest.raises(FetchEnded):
            await fetch_now(bench.context, bench.account, new, leaves)
        (fetch_id,) = bench.queue.fetches
        assert (await bench.run(fetch_id)).state is FetchState.DONE
