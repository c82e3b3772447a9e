"""The tasks of all slices, and the queues that they wait in."""

import threading
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from celery import Celery

from common.queue.app import WorkerProcess, send_soon
from upload_service.content import tasks as content
from upload_service.context import Context
from upload_service.fetches import tasks as fetches
from upload_service.mirrors import tasks as mirrors

# The queue of work whose length others decide.
TRANSFERS = "transfers"
MOST_WAITING = 1000
"""Transfers that are requested and not begun: sweeps request all that is due again and again."""


class CeleryQueue:
    """Leaves work for the workers."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    async def verify(self, session_id: UUID) -> None:
        await send_soon(self._app, content.VERIFY, session_id.hex)

    async def replicate(self, replica_id: UUID) -> None:
        await send_soon(self._app, mirrors.REPLICATE, replica_id.hex, queue=TRANSFERS, most=MOST_WAITING)

    async def fetch(self, fetch_id: UUID) -> None:
        await send_soon(self._app, fetches.FETCH, fetch_id.hex, queue=TRANSFERS, most=MOST_WAITING)


def register(app: Celery, process: WorkerProcess[Context]) -> None:
    """Make the tasks of the service's own worker known to `app`."""
    content.register(app, process)
    mirrors.register(app, process)
    fetches.register(app, process)


def register_transfers(app: Celery, process: WorkerProcess[Context], at_once: int) -> None:
    """Make the tasks known that move bytes to and from elsewhere.

    `at_once`: the number of transfers that run at the same time. The worker has a thread more, so that probes need not
    wait for them.
    """
    places = threading.BoundedSemaphore(at_once)

    def transfer(operation: Callable[[Context], Coroutine[Any, Any, None]]) -> None:
        # A transfer without a place is requested again by a sweep.
        if places.acquire(blocking=False):
            try:
                process.run(operation)
            finally:
                places.release()

    mirrors.register_transfers(app, process, transfer)
    fetches.register_transfers(app, transfer)
