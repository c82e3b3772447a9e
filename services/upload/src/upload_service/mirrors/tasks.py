"""The tasks of mirrors: ids in, one use case each. A failure is recorded in the row, and a sweep finds it."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from celery import Celery

from common.queue.app import WorkerProcess
from upload_service.mirrors import replicating, upkeep
from upload_service.mirrors.context import Context

REPLICATE = "upload.replicate_blob"

Transfer = Callable[[Callable[[Context], Coroutine[Any, Any, None]]], None]


def register(app: Celery, process: WorkerProcess[Context]) -> None:
    """Make the sweep known to the service's own worker."""
    task: Callable[..., Any] = app.task

    @task(name="upload.sweep_replicas")
    def sweep_replicas() -> None:
        process.run(upkeep.sweep_replicas)


def register_transfers(app: Celery, process: WorkerProcess[Context], transfer: Transfer) -> None:
    """Make the tasks known to the worker of transfers. `transfer` runs an operation if there is room for it."""
    task: Callable[..., Any] = app.task

    @task(name=REPLICATE)
    def replicate_blob(replica_id: str) -> None:
        transfer(lambda context: replicating.advance_replica(context, UUID(replica_id)))

    @task(name="upload.probe_mirrors")
    def probe_mirrors() -> None:
        process.run(upkeep.probe_mirrors)
