"""The upload service's worker: `celery -A upload_service.worker:app worker -Q upload`."""

from contextlib import AbstractAsyncContextManager

from common.queue.app import WorkerProcess, create_celery
from upload_service import tasks
from upload_service.build import SERVICE, build, opened
from upload_service.context import Context
from upload_service.settings import UploadSettings
from upload_service.tasks import CeleryQueue

# A child runs one task at a time: one connection for it, one for renewing its claims.
POOL_SIZE = 2

settings = UploadSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
app = create_celery(SERVICE, settings.broker_url.get_secret_value())


def _context() -> AbstractAsyncContextManager[Context]:
    return opened(build(settings, CeleryQueue(app), pool_size=POOL_SIZE))


tasks.register(app, WorkerProcess(app, settings, _context))
