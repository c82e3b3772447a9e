"""The worker of the chat service: `python -m chat_service.worker`."""

from chat_service import tasks
from chat_service.build import build
from chat_service.context import Context
from chat_service.settings import WorkerSettings
from common.queue import serving
from common.queue.app import create_celery
from common.queue.worker import Worker

THREADS = 1
POOL_SIZE = 2


def create(settings: WorkerSettings) -> Worker[Context]:
    """The worker of the service's queue."""
    app = create_celery("chat", settings.broker_url.get_secret_value())
    worker = Worker(app, lambda: build(settings, pool_size=POOL_SIZE).running(), threads=THREADS)
    tasks.register(app, worker)
    return worker


if __name__ == "__main__":
    settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    serving.main(create(settings), settings=settings, name="chat-worker")
