"""The worker of the auth service: `python -m auth_service.worker`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from auth_service.accounts import tasks as account_tasks
from auth_service.accounts.model import KEEPERS
from auth_service.context import WorkerContext
from auth_service.sessions import tasks as session_tasks
from auth_service.settings import WorkerSettings
from auth_service.signing import tasks as signing_tasks
from common.db import Database
from common.peers import Peers
from common.queue import serving
from common.queue.app import create_celery
from common.queue.worker import Worker

THREADS = 1
POOL_SIZE = 2


def create(settings: WorkerSettings) -> Worker[WorkerContext]:
    """The worker of the service's queue."""
    app = create_celery("auth", settings.broker_url.get_secret_value())

    @asynccontextmanager
    async def opened_context() -> AsyncGenerator[WorkerContext]:
        """Connect to the database and the other services."""
        database = Database(settings.database_url.get_secret_value(), pool_size=POOL_SIZE)
        peers = Peers(
            "auth",
            secret=settings.service_secret.get_secret_value(),
            auth_url=settings.auth_url,
            patience=settings.peer_patience,
        )
        urls = {"share": settings.share_url, "upload": settings.upload_url, "chat": settings.chat_url}
        services = {name: peers.at(urls[name]) for name in KEEPERS}
        await database.open()
        try:
            yield WorkerContext(database, services, timedelta(days=settings.key_lifetime_days))
        finally:
            await peers.aclose()
            await database.close()

    worker = Worker(app, opened_context, threads=THREADS)
    for tasks in (account_tasks, session_tasks, signing_tasks):
        tasks.register(app, worker)
    return worker


if __name__ == "__main__":
    settings = WorkerSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    serving.main(create(settings), settings=settings, name="auth-worker")
