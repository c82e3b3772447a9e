"""The tasks of fetches: ids in, one use case each. A failure is recorded in the row, and a sweep finds it."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from celery import Celery

from upload_service.fetches import jobs, running
from upload_service.fetches.context import Context

FETCH = "upload.fetch_remote"

Transfer = Callable[[Callable[[Context], Coroutine[Any, Any, None]]], None]


def register_transfers(app: Celery, transfer: Transfer) -> None:
    """Make the task known to the worker of transfers. `transfer` runs an operation if there is room for it."""
    task: Callable[..., Any] = app.task

    @task(name=FETCH)
    def fetch_remote(fetch_id: str) -> None:
        transfer(lambda context: running.run_fetch(context, UUID(fetch_id)))


SWEEPS = {"upload.sweep_fetches": jobs.sweep_fetches}
