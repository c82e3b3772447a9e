"""A worker whose tasks write down what becomes of them: `celery -A tests.integration.common.worker_app:app worker`.

The environment names the file that it is written to (`NOTES`) and the queue (`QUEUE`).
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from common.queue.app import WorkerProcess, create_celery
from common.settings import QueueSettings

NOTES = Path(os.environ["NOTES"])
settings = QueueSettings()  # pyright: ignore[reportCallIssue]
app = create_celery(os.environ["QUEUE"], settings.broker_url.get_secret_value())


def note(text: str) -> None:
    with NOTES.open("a") as notes:
        notes.write(f"{text} {os.getpid()}\n")


class Together:
    """Lets nobody through until as many have come as are waited for."""

    def __init__(self) -> None:
        self.came = 0
        self.all_came = asyncio.Event()

    async def wait(self, number: int) -> None:
        self.came += 1
        if self.came == number:
            self.all_came.set()
        await self.all_came.wait()


@asynccontextmanager
async def _state() -> AsyncGenerator[Together]:
    note("opened")
    yield Together()
    note("closed")


process = WorkerProcess(app, settings, _state)
task: Callable[..., Any] = app.task


@task(name="meet")
def meet(number: int) -> None:
    async def operation(together: Together) -> None:
        await together.wait(number)
        note("met")

    process.run(operation)


@task(name="stay")
def stay() -> None:
    async def operation(_: Together) -> None:
        note("stays")
        try:
            await asyncio.sleep(60)
        finally:
            # As one that gives its claim up.
            await asyncio.sleep(0.1)
            note("tidied")

    process.run(operation)


@task(name="fail")
def fail() -> None:
    async def operation(_: Together) -> None:
        note("fails")
        raise RuntimeError("as it should")

    process.run(operation)
