"""The tasks of mirrors: ids in, one use case each. A failure is recorded in the row, and a sweep finds it."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from celery import Celery

from upload_service.mirrors import replicating, restoring, upkeep
from upload_service.mirrors.context import Context

REPLICATE = "upload.replicate_blob"
RESTORE = "upload.restore_blob"

Transfer = Callable[[Callable[[Context], Coroutine[Any, Any, None]]], None]


def register_transfers(app: Celery, transfer: Transfer) -> None:
    """Make the tasks known to the worker of transfers. `transfer` runs an operation if there is room for it."""
    task: Callable[..., Any] = app.task

    @task(name=REPLICATE)
    def replicate_blob(replica_id: str) -> None:
        transfer(lambda context: replicating.advance_replica(context, UUID(replica_id)))

    @task(name=RESTORE)
    def restore_blob(blob_id: str) -> None:
        transfer(lambda context: restoring.restore_blob(context, UUID(blob_id)))


SWEEPS = {
    "upload.sweep_replicas": upkeep.sweep_replicas,
    "upload.probe_mirrors": upkeep.probe_mirrors,
    "upload.sweep_mirrors": upkeep.sweep_mirrors,
}
