"""The tasks of all slices, and the queues that they wait in."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

from celery import Celery

from common.queue.app import send_some, send_soon
from common.queue.worker import Worker
from upload_service.content import tasks as content
from upload_service.context import Context
from upload_service.fetches import tasks as fetches
from upload_service.mirrors import tasks as mirrors
from upload_service.quotas import tasks as quotas
from upload_service.telling import tasks as telling

VERIFICATIONS = "upload"
# The queue of work that mostly waits, and whose length others decide. Nothing in it keeps a verification waiting.
TRANSFERS = "transfers"
SWEEP_THREADS = 12
"""One for each sweep: none waits for another."""
MOST_WAITING = 1000
"""Transfers that are requested and not begun: sweeps request all that is due again and again."""


class CeleryQueue:
    """Leaves work for the workers."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    async def verify(self, session_id: UUID) -> None:
        await send_soon(self._app, content.VERIFY, session_id.hex)

    async def verify_again(self, session_ids: Sequence[UUID]) -> int:
        return await asyncio.to_thread(self._verify_again, session_ids)

    def _verify_again(self, session_ids: Sequence[UUID]) -> int:
        found = [session_id.hex for session_id in session_ids]
        return send_some(self._app, content.VERIFY, found, queue=VERIFICATIONS, most=MOST_WAITING)

    async def replicate(self, replica_id: UUID) -> None:
        await send_soon(self._app, mirrors.REPLICATE, replica_id.hex, queue=TRANSFERS, most=MOST_WAITING)

    async def restore(self, blob_id: UUID) -> None:
        await send_soon(self._app, mirrors.RESTORE, blob_id.hex, queue=TRANSFERS, most=MOST_WAITING)

    async def fetch(self, fetch_id: UUID) -> None:
        await send_soon(self._app, fetches.FETCH, fetch_id.hex, queue=TRANSFERS, most=MOST_WAITING)


def register(app: Celery, worker: Worker[Context]) -> None:
    """Make the tasks of the service's own worker known to `app`: it only verifies."""
    content.register(app, worker)


def register_transfers(app: Celery, worker: Worker[Context], at_once: int) -> None:
    """Make the tasks known that mostly wait: transfers to and from elsewhere, and all sweeps.

    `at_once`: the number of transfers that run at the same time. The worker has `SWEEP_THREADS` more, so that sweeps
    need not wait for them.
    """
    places = threading.BoundedSemaphore(at_once)

    def transfer(operation: Callable[[Context], Coroutine[Any, Any, None]]) -> None:
        # A transfer without a place is requested again by a sweep.
        if places.acquire(blocking=False):
            try:
                worker.run(operation, seconds=None)
            finally:
                places.release()

    mirrors.register_transfers(app, transfer)
    fetches.register_transfers(app, transfer)
    sweeps: dict[str, Callable[[Context], Coroutine[Any, Any, None]]] = {
        **content.SWEEPS,
        **mirrors.SWEEPS,
        **fetches.SWEEPS,
        **quotas.SWEEPS,
        **telling.SWEEPS,
    }
    for name, sweep in sweeps.items():
        app.task(_once_at_a_time(worker, sweep), name=name)


def _once_at_a_time(
    worker: Worker[Context], sweep: Callable[[Context], Coroutine[Any, Any, None]]
) -> Callable[[], None]:
    """A task that does nothing while it is running already: a sweep with much to do must not take every thread."""
    place = threading.Lock()

    def run() -> None:
        if place.acquire(blocking=False):
            try:
                worker.run(sweep)
            finally:
                place.release()

    return run
