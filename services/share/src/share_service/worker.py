"""The worker of the share service: `python -m share_service.worker`."""

from common.queue import serving
from common.queue.app import create_celery
from common.queue.worker import Worker
from share_service.audit import tasks as audit_tasks
from share_service.build import build
from share_service.context import Context
from share_service.drops import tasks as sweep_tasks
from share_service.settings import WorkerSettings
from share_service.statistics import tasks as statistics_tasks
from share_service.webhooks import tasks as webhook_tasks

# One sweeps, and the other calls webhooks, which may hang.
THREADS = 2
POOL_SIZE = 4


def create(settings: WorkerSettings) -> Worker[Context]:
    """The worker of the service's queue."""
    app = create_celery("share", settings.broker_url.get_secret_value())
    worker = Worker(app, lambda: build(settings, pool_size=POOL_SIZE).running(), threads=THREADS)
    for tasks in (audit_tasks, statistics_tasks, sweep_tasks, webhook_tasks):
        tasks.register(app, worker)
    return worker


if __name__ == "__main__":
    settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    serving.main(create(settings), settings=settings, name="share-worker")
