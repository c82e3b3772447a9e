"""The worker that verifies uploads: `python -m upload_service.worker`."""

from common.queue import serving
from common.queue.app import create_celery
from common.queue.worker import Worker
from upload_service import tasks
from upload_service.build import SERVICE, build, opened
from upload_service.context import Context
from upload_service.settings import UploadSettings
from upload_service.tasks import CeleryQueue

THREADS = 2
# For each verification one connection, and one for renewing its claim.
POOL_SIZE = 2 * THREADS


def create(settings: UploadSettings) -> Worker[Context]:
    """The worker of the service's queue."""
    app = create_celery(SERVICE, settings.broker_url.get_secret_value())
    queue, valkey_url = CeleryQueue(app), settings.valkey_url.get_secret_value()
    worker = Worker(app, lambda: opened(build(settings, queue, pool_size=POOL_SIZE), valkey_url), threads=THREADS)
    tasks.register(app, worker)
    return worker


if __name__ == "__main__":
    settings = UploadSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    serving.main(create(settings), settings=settings, name="upload-worker")
