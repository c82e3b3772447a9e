"""Content's tasks: one takes an id and runs one use case. Sweeps are not retried: the next one comes anyway."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import Celery, Task

from common.backoff import backoff
from common.errors import Unavailable
from common.queue.worker import Worker
from upload_service.content import cleaning, expiring, verification
from upload_service.content.context import Context

VERIFY = "upload.verify_blob"
RETRIES = 8
FIRST_RETRY, LAST_RETRY = timedelta(seconds=1), timedelta(seconds=60)


def register(app: Celery, worker: Worker[Context]) -> None:
    """Make the task known to `app`; it runs on the worker's event loop."""
    task: Callable[..., Any] = app.task

    @task(name=VERIFY, bind=True, max_retries=RETRIES)
    def verify_blob(self: "Task[Any, Any]", session_id: str) -> None:
        try:
            worker.run(lambda context: verification.verify_upload(context, UUID(session_id)))
        except Unavailable as error:
            pause = backoff(self.request.retries + 1, FIRST_RETRY, LAST_RETRY)
            raise self.retry(exc=error, countdown=pause.total_seconds()) from error


async def _collect_garbage(context: Context) -> None:
    await cleaning.collect_garbage(context, context.garbage_grace)


async def _release_unclaimed(context: Context) -> None:
    await cleaning.release_unclaimed(context, context.unclaimed_lifetime)


SWEEPS = {
    "upload.sweep_unverified": verification.request_unverified,
    "upload.abort_stale_sessions": cleaning.abort_stale_sessions,
    "upload.collect_garbage": _collect_garbage,
    "upload.release_unclaimed": _release_unclaimed,
    "upload.expire_files": expiring.clear_ended,
}
