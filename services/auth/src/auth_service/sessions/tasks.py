"""The tasks of sessions."""

from collections.abc import Callable
from typing import Any

from celery import Celery

from auth_service.context import WorkerContext
from auth_service.sessions.purging import purge
from common.queue.worker import Worker


def register(app: Celery, worker: Worker[WorkerContext]) -> None:
    """Make the tasks known to `app`. None is retried: the next sweep comes anyway."""
    task: Callable[..., Any] = app.task

    @task(name="auth.purge_sessions")
    def purge_sessions() -> None:
        worker.run(purge)
