"""The worker of transfers: `python -m upload_service.transfers`.

Copies to mirrors and fetches take as long as other servers need, sweeps as long as there is something left, and both
mostly wait. They have a worker of their own, so that no verification waits for them.
"""

from common.queue import serving
from common.queue.app import create_celery
from common.queue.worker import Worker
from upload_service import tasks
from upload_service.build import SERVICE, build, opened
from upload_service.context import Context
from upload_service.settings import UploadSettings
from upload_service.tasks import CeleryQueue


def create(settings: UploadSettings) -> Worker[Context]:
    """The worker of the queue of transfers and of all sweeps."""
    app = create_celery(SERVICE, settings.broker_url.get_secret_value())
    # A sweep holds a connection besides, as long as it has work.
    pool_size = settings.database_pool_size + tasks.SWEEP_THREADS
    worker = Worker(
        app,
        lambda: opened(build(settings, CeleryQueue(app), pool_size=pool_size), settings.valkey_url.get_secret_value()),
        threads=settings.transfers_at_once + tasks.SWEEP_THREADS,
        queue=tasks.TRANSFERS,
    )
    tasks.register_transfers(app, worker, settings.transfers_at_once)
    return worker


if __name__ == "__main__":
    settings = UploadSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    serving.main(create(settings), settings=settings, name="transfers-worker")
