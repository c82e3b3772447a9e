"""The worker process of the share service: `celery -A share_service.worker:app worker -Q share`."""

from contextlib import AbstractAsyncContextManager

from common.queue.app import WorkerProcess, create_celery
from share_service.build import build
from share_service.context import Context
from share_service.settings import WorkerSettings
from share_service.shares import tasks

POOL_SIZE = 2

settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)


def open_context() -> AbstractAsyncContextManager[Context]:
    """Connect a worker's child process to what its tasks need."""
    return build(settings, pool_size=POOL_SIZE).running()


app = create_celery("share", settings.broker_url.get_secret_value())
tasks.register(app, WorkerProcess(app, settings, open_context))
