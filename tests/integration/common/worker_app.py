"""A process of two workers whose tasks write down what becomes of them.

It is started by `python -m tests.integration.common.worker_app FILE`. The environment names the file that it is written
to (`NOTES`), the first queue (`QUEUE`; the second is `QUEUE-2`), the threads of each (`THREADS`), and how long a
message may stay unacknowledged (`VISIBILITY`).
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from celery.worker import state

from common.queue import serving
from common.queue.app import create_celery
from common.queue.worker import Worker
from common.settings import QueueSettings

NOTES = Path(os.environ["NOTES"])
THREADS = int(os.environ["THREADS"])
settings = QueueSettings()  # pyright: ignore[reportCallIssue]


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


async def _stay(_: Together) -> None:
    note("stays")
    try:
        await asyncio.sleep(60)
    finally:
        # As one that gives its claim up.
        await asyncio.sleep(0.1)
        note("tidied")


async def _fail(_: Together) -> None:
    note("fails")
    raise RuntimeError("as it should")


def create(queue: str) -> Worker[Together]:
    app = create_celery(queue, settings.broker_url.get_secret_value())
    # It also looks every second, not every hundred, for messages that were not acknowledged in time.
    options = {"visibility_timeout": int(os.environ["VISIBILITY"]), "unacked_restore_throttle": 1}
    app.conf.broker_transport_options |= options | {"unacked_restore_interval": 1}
    worker = Worker(app, _state, threads=THREADS)
    task: Callable[..., Any] = app.task

    @task(name="meet")
    def meet(number: int) -> None:
        async def operation(together: Together) -> None:
            await together.wait(number)
            note("met")

        worker.run(operation)

    @task(name="stay")
    def stay(seconds: float | None = None) -> None:
        worker.run(_stay, seconds=seconds)

    @task(name="fail")
    def fail() -> None:
        worker.run(_fail)

    @task(name="break")
    def break_consumer() -> None:
        # As if something had failed in it that it does not expect.
        state.should_terminate = 1  # pyright: ignore[reportAttributeAccessIssue]

    return worker


if __name__ == "__main__":
    first = os.environ["QUEUE"]
    serving.main(create(first), create(f"{first}-2"), settings=settings, name="test")
