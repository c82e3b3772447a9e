"""The upload service's tasks: ids in, one operation each."""

import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import Celery

from common.errors import Unavailable
from common.queue.app import WorkerProcess, send_soon
from upload_service.content import cleaning, expiring, files, verification
from upload_service.context import Context
from upload_service.fetches import jobs as fetch_jobs
from upload_service.fetches import running as fetching
from upload_service.fetches.work import Fetching
from upload_service.mirrors import replicating, upkeep
from upload_service.shares import Shares

VERIFY = "upload.verify_blob"
REPLICATE = "upload.replicate_blob"
FETCH = "upload.fetch_remote"
# The queue of what takes as long as others let it.
TRANSFERS = "transfers"
MOST_WAITING = 1000
"""Transfers that are requested and not begun: sweeps request all that is due again and again."""
RETRIES = 8
LONGEST_BACKOFF_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Working:
    """What the tasks of one worker process work with."""

    context: Context
    shares: Shares
    garbage_grace: timedelta
    unclaimed_lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Transferring:
    """What the tasks of the worker of transfers work with."""

    context: Context
    fetching: Fetching
    recheck: timedelta
    """How long a verified replica is believed."""


class CeleryQueue:
    """Leaves work for the workers."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    async def verify(self, session_id: UUID) -> None:
        await send_soon(self._app, VERIFY, session_id.hex)

    async def replicate(self, replica_id: UUID) -> None:
        await send_soon(self._app, REPLICATE, replica_id.hex, queue=TRANSFERS, most=MOST_WAITING)

    async def fetch(self, fetch_id: UUID) -> None:
        await send_soon(self._app, FETCH, fetch_id.hex, queue=TRANSFERS, most=MOST_WAITING)


def register(app: Celery, process: WorkerProcess[Working]) -> None:
    """Make the tasks known to `app`; each runs one operation on the worker process's event loop."""
    retrying: dict[str, Any] = {
        "autoretry_for": (Unavailable,),
        "max_retries": RETRIES,
        "retry_backoff": True,
        "retry_backoff_max": LONGEST_BACKOFF_SECONDS,
        "retry_jitter": True,
    }
    task: Callable[..., Any] = app.task

    @task(name=VERIFY, **retrying)
    def verify_blob(session_id: str) -> None:
        process.run(lambda working: verification.verify_upload(working.context, UUID(session_id)))

    # Sweeps are not retried: the next one comes anyway.
    @task(name="upload.sweep_unverified")
    def sweep_unverified() -> None:
        process.run(_sweep_unverified)

    @task(name="upload.abort_stale_sessions")
    def abort_stale_sessions() -> None:
        process.run(lambda working: cleaning.abort_stale_sessions(working.context))

    @task(name="upload.collect_garbage")
    def collect_garbage() -> None:
        process.run(lambda working: cleaning.collect_garbage(working.context, working.garbage_grace))

    @task(name="upload.release_unclaimed")
    def release_unclaimed() -> None:
        process.run(_release_unclaimed)

    @task(name="upload.expire_files")
    def expire_files() -> None:
        process.run(lambda working: expiring.clear_ended(working.context, working.shares))

    @task(name="upload.sweep_fetches")
    def sweep_fetches() -> None:
        process.run(lambda working: fetch_jobs.sweep_fetches(working.context, working.shares))

    @task(name="upload.sweep_replicas")
    def sweep_replicas() -> None:
        process.run(lambda working: upkeep.sweep_replicas(working.context))


def register_transfers(app: Celery, process: WorkerProcess[Transferring], at_once: int) -> None:
    """Make the tasks known that move bytes to and from elsewhere. What fails there is a row, which a sweep finds.

    `at_once`: how many transfers there are at a time. The worker has a thread more, so that probes wait for none.
    """
    task: Callable[..., Any] = app.task
    places = threading.BoundedSemaphore(at_once)

    def transfer(operation: Callable[[Transferring], Coroutine[Any, Any, None]]) -> None:
        # A sweep requests again what finds no place.
        if places.acquire(blocking=False):
            try:
                process.run(operation)
            finally:
                places.release()

    @task(name=REPLICATE)
    def replicate_blob(replica_id: str) -> None:
        transfer(lambda working: replicating.advance_replica(working.context, UUID(replica_id), working.recheck))

    @task(name=FETCH)
    def fetch_remote(fetch_id: str) -> None:
        transfer(lambda working: fetching.run_fetch(working.fetching, UUID(fetch_id)))

    @task(name="upload.probe_mirrors")
    def probe_mirrors() -> None:
        process.run(lambda working: upkeep.probe_mirrors(working.context))


async def _sweep_unverified(working: Working) -> None:
    for session_id in await verification.unverified_sessions(working.context):
        await working.context.queue.verify(session_id)


async def _release_unclaimed(working: Working) -> None:
    """Release old files that no share holds: their upload died between the file and the code."""
    candidates = await cleaning.unclaimed_files(working.context, working.unclaimed_lifetime)
    if not candidates:
        return
    held = await working.shares.held(candidates)
    await files.claim_files(working.context, held)
    for file_id in set(candidates) - set(held):
        await files.release_file(working.context, file_id)
