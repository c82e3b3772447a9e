"""The tasks of fetches: ids in, one use case each. A failure is recorded in the row, and a sweep finds it."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from celery import Celery

from common.queue.app import WorkerProcess
from upload_service.fetches import jobs, running
from upload_service.fetches.context import Context

FETCH = "upload.fetch_remote"

Transfer = Callable[[Callable[[Context], Coroutine[Any, Any, None]]], None]


def register(app: Celery, process: WorkerProcess[Context]) -> None:
    """Make the sweep known to the service's own worker."""
    task: Callable[..., Any] = app.task

    @task(name="upload.sweep_fetches")
    def sweep_fetches() -> None:
        process.run(jobs.sweep_fetches)


def register_transfers(app: Celery, transfer: Transfer) -> None:
    """Make the task known to the worker of transfers. `transfer` runs an operation if there is room for it."""
    task: Callable[..., Any] = app.task

    @task(name=FETCH)
    def fetch_remote(fetch_id: str) -> None:
        transfer(lambda context: running.run_fetch(context, UUID(fetch_id)))
