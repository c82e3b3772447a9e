"""The tasks of accounts."""

from collections.abc import Callable
from typing import Any

from celery import Celery

from auth_service.accounts import erasing, skeletons
from auth_service.context import WorkerContext
from auth_service.links import purging
from common.queue.worker import Worker

ERASE = "auth.erase_accounts"


def register(app: Celery, worker: Worker[WorkerContext]) -> None:
    """Make the tasks known to `app`. None is retried: the next sweep comes anyway."""
    task: Callable[..., Any] = app.task

    @task(name=ERASE)
    def erase_accounts() -> None:
        worker.run(erasing.erase_accounts)

    @task(name="auth.forget_links")
    def forget_links() -> None:
        worker.run(purging.purge)

    @task(name="auth.compare_names")
    def compare_names() -> None:
        worker.run(skeletons.compute_skeletons)
