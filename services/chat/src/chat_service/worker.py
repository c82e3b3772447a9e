"""The worker process of the chat service: `celery -A chat_service.worker:app worker -Q chat`."""

from chat_service.build import build
from chat_service.rooms import tasks
from chat_service.settings import WorkerSettings
from common.queue.app import WorkerProcess, create_celery

POOL_SIZE = 2

settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
app = create_celery("chat", settings.broker_url.get_secret_value())
tasks.register(app, WorkerProcess(app, settings, lambda: build(settings, pool_size=POOL_SIZE).running()))
