"""The worker of transfers: `celery -A upload_service.transfers:app worker -Q transfers --pool threads`.

Copies to mirrors and fetches take as long as other servers need, sweeps as long as there is something left, and both
mostly wait. They have a worker of their own, so that no verification waits for them, and share one process and its
event loop.
"""

from contextlib import AbstractAsyncContextManager

from common.queue.app import WorkerProcess, create_celery
from upload_service import tasks
from upload_service.build import SERVICE, build, opened
from upload_service.context import Context
from upload_service.settings import UploadSettings
from upload_service.tasks import CeleryQueue

settings = UploadSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
app = create_celery(SERVICE, settings.broker_url.get_secret_value())
app.conf.worker_concurrency = settings.transfers_at_once + tasks.SWEEP_THREADS


def _context() -> AbstractAsyncContextManager[Context]:
    return opened(build(settings, CeleryQueue(app), pool_size=settings.database_pool_size))


tasks.register_transfers(app, WorkerProcess(app, settings, _context), settings.transfers_at_once)
