"""The tasks of signing keys."""

from collections.abc import Callable
from typing import Any

from celery import Celery

from auth_service.context import WorkerContext
from auth_service.signing.keys import rotate_old_keys
from common.queue.worker import Worker


def register(app: Celery, worker: Worker[WorkerContext]) -> None:
    """Make the tasks known to `app`. None is retried: the next sweep comes anyway."""
    task: Callable[..., Any] = app.task

    @task(name="auth.rotate_keys")
    def rotate_keys() -> None:
        worker.run(rotate_old_keys)
