"""Fetches' tasks: ids in, one use case each. What fails is a row, which a sweep finds."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from celery import Celery

from common.queue.app import WorkerProcess
from upload_service.fetches import jobs, running
from upload_service.fetches.context import Context
from upload_service.fetches.work import Fetching

FETCH = "upload.fetch_remote"

Transfer = Callable[[Callable[[Context], Coroutine[Any, Any, None]]], None]


def register(app: Celery, process: WorkerProcess[Context]) -> None:
    """Make the sweep known to the service's own worker."""
    task: Callable[..., Any] = app.task

    @task(name="upload.sweep_fetches")
    def sweep_fetches() -> None:
        process.run(lambda context: jobs.sweep_fetches(context, context.shares))


def register_transfers(app: Celery, transfer: Transfer) -> None:
    """Make the task known to the worker of transfers. `transfer` runs an operation if there is room for it."""
    task: Callable[..., Any] = app.task

    @task(name=FETCH)
    def fetch_remote(fetch_id: str) -> None:
        transfer(
            lambda context: running.run_fetch(
                Fetching(
                    context,
                    context.shares,
                    context.outbound,
                    at_once=context.fetches_at_once,
                    at_once_each=context.fetches_at_once_each,
                ),
                UUID(fetch_id),
            )
        )
