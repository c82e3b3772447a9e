"""Content's tasks: each takes an id and runs one use case. Sweeps are not retried: the next one comes anyway."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import Celery, Task

from common.backoff import backoff
from common.errors import Unavailable
from common.queue.app import WorkerProcess
from upload_service.content import cleaning, expiring, verification
from upload_service.content.context import Context

VERIFY = "upload.verify_blob"
RETRIES = 8
FIRST_RETRY, LAST_RETRY = timedelta(seconds=1), timedelta(seconds=60)


def register(app: Celery, process: WorkerProcess[Context]) -> None:
    """Make the tasks known to `app`; each runs on the worker process's event loop."""
    task: Callable[..., Any] = app.task

    @task(name=VERIFY, bind=True, max_retries=RETRIES)
    def verify_blob(self: "Task[Any, Any]", session_id: str) -> None:
        try:
            process.run(lambda context: verification.verify_upload(context, UUID(session_id)))
        except Unavailable as error:
            pause = backoff(self.request.retries + 1, FIRST_RETRY, LAST_RETRY)
            raise self.retry(exc=error, countdown=pause.total_seconds()) from error

    @task(name="upload.sweep_unverified")
    def sweep_unverified() -> None:
        process.run(verification.request_unverified)

    @task(name="upload.abort_stale_sessions")
    def abort_stale_sessions() -> None:
        process.run(cleaning.abort_stale_sessions)

    @task(name="upload.collect_garbage")
    def collect_garbage() -> None:
        process.run(lambda context: cleaning.collect_garbage(context, context.garbage_grace))

    @task(name="upload.release_unclaimed")
    def release_unclaimed() -> None:
        process.run(lambda context: cleaning.release_unclaimed(context, context.unclaimed_lifetime))

    @task(name="upload.expire_files")
    def expire_files() -> None:
        process.run(expiring.clear_ended)
