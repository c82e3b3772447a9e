"""The worker process of the auth service: `celery -A auth_service.worker:app worker -Q auth`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from auth_service import tasks
from auth_service.settings import WorkerSettings
from auth_service.tasks import Working
from common.db import Database
from common.peers import Peer, new_client
from common.queue.app import WorkerProcess, create_celery
from common.tokens.services import TokenSource

settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)


@asynccontextmanager
async def _working() -> AsyncGenerator[Working]:
    """Connect a worker's child process to what its tasks need."""
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    client = new_client()
    secret = settings.service_secret.get_secret_value()
    tokens = TokenSource(client, auth_url=settings.auth_url, service="auth", secret=secret)
    services = {
        "share": Peer(client, settings.share_url, tokens),
        "upload": Peer(client, settings.upload_url, tokens),
        "chat": Peer(client, settings.chat_url, tokens),
    }
    await database.open()
    try:
        yield Working(database, services, timedelta(days=settings.key_lifetime_days))
    finally:
        await client.aclose()
        await database.close()


app = create_celery("auth", settings.broker_url.get_secret_value())
tasks.register(app, WorkerProcess(app, settings, _working))
