"""Tasks that are told to end do."""

import asyncio

import pytest

from common import cancelling
from common.cancelling import cancel


async def test_what_each_task_ended_with_is_told() -> None:
    async def ends() -> str:
        return "done"

    async def fails() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("broken")

    tasks = [asyncio.create_task(work) for work in (ends(), fails(), ends())]
    waits = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    ended, failed, also_ended = await cancel(*tasks)
    assert (ended, also_ended) == ("done", "done")
    assert isinstance(failed, ValueError)
    assert [type(each) for each in await cancel(waits)] == [asyncio.CancelledError]
    assert await cancel() == []


async def test_a_task_that_lost_its_cancellation_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelling, "AGAIN_SECONDS", 0.01)
    times_told = 0

    async def loses_it() -> None:
        nonlocal times_told
        while times_told < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                times_told += 1

    task = asyncio.create_task(loses_it())
    await asyncio.sleep(0)
    await cancel(task)
    assert (task.done(), times_told) == (True, 3)
