"""The worker process of the share service: `celery -A share_service.worker:app worker -Q share`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from common.db import Database
from common.peers import Peer, new_client
from common.queue.app import WorkerProcess, create_celery
from common.tokens.services import TokenSource
from share_service.settings import WorkerSettings
from share_service.shares import tasks
from share_service.shares.tasks import WorkerState

settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)


@asynccontextmanager
async def open_state() -> AsyncGenerator[WorkerState]:
    """Connect a worker's child process to what its tasks need."""
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    client = new_client()
    tokens = TokenSource(
        client, auth_url=settings.auth_url, service="share", secret=settings.service_secret.get_secret_value()
    )
    await database.open()
    yield WorkerState(database, Peer(client, settings.upload_url, tokens))
    await client.aclose()
    await database.close()


app = create_celery("share", settings.broker_url.get_secret_value())
tasks.register(app, WorkerProcess(app, settings, open_state))
