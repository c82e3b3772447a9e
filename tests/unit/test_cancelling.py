"""Cancelling tasks and waiting for their end."""

import asyncio

import pytest

from common import cancelling
from common.cancelling import cancel


async def test_cancel_returns_the_result_or_exception_of_each_task() -> None:
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


async def test_a_task_that_lost_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelling, "AGAIN_SECONDS", 0.01)
    cancellations = 0

    async def loses_cancellations() -> None:
        nonlocal cancellations
        while cancellations < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancellations += 1

    task = asyncio.create_task(loses_cancellations())
    await asyncio.sleep(0)
    await cancel(task)
    assert (task.done(), cancellations) == (True, 3)
