"""The worker process of the chat service: `celery -A chat_service.worker:app worker -Q chat`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chat_service.context import Connections, Context, new_context
from chat_service.rooms import tasks
from chat_service.settings import WorkerSettings
from common.queue.app import WorkerProcess, create_celery

POOL_SIZE = 2

settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)


@asynccontextmanager
async def open_context() -> AsyncGenerator[Context]:
    """The context of a worker's process."""
    connections = Connections(settings, pool_size=POOL_SIZE)
    async with connections.opened():
        yield new_context(connections, settings)


app = create_celery("chat", settings.broker_url.get_secret_value())
tasks.register(app, WorkerProcess(app, settings, open_context))
