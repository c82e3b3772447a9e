"""The worker process of the chat service: `celery -A chat_service.worker:app worker -Q chat`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chat_service.rooms import tasks
from chat_service.rooms.tasks import WorkerState
from chat_service.settings import WorkerSettings
from chat_service.shares import Shares
from chat_service.streams import Streams
from common.db import Database
from common.peers import Peer, new_client
from common.queue.app import WorkerProcess, create_celery
from common.tokens.services import TokenSource

settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)


@asynccontextmanager
async def open_state() -> AsyncGenerator[WorkerState]:
    """Connect a worker's child process to what its tasks need."""
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    streams = Streams(settings.valkey_url.get_secret_value())
    client = new_client()
    tokens = TokenSource(
        client, auth_url=settings.auth_url, service="chat", secret=settings.service_secret.get_secret_value()
    )
    await database.open()
    try:
        yield WorkerState(
            database, streams, Shares(client, settings.share_url, Peer(client, settings.share_url, tokens))
        )
    finally:
        await client.aclose()
        await streams.close()
        await database.close()


app = create_celery("chat", settings.broker_url.get_secret_value())
tasks.register(app, WorkerProcess(app, settings, open_state))
