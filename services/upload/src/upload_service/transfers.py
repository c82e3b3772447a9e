"""The worker of transfers: `celery -A upload_service.transfers:app worker -Q transfers --pool threads`.

Copies to mirrors and fetches from elsewhere take as long as others let them, and mostly wait. They have a worker of
their own, so that no verification ever waits for them, and share one process and its event loop.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from common.queue.app import WorkerProcess, create_celery
from upload_service import tasks
from upload_service.build import SERVICE, build
from upload_service.fetches.work import Fetching
from upload_service.settings import UploadSettings
from upload_service.tasks import CeleryQueue, Transferring

settings = UploadSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
app = create_celery(SERVICE, settings.broker_url.get_secret_value())
app.conf.worker_concurrency = settings.transfers_at_once + 1


@asynccontextmanager
async def _transferring() -> AsyncGenerator[Transferring]:
    parts = build(settings, CeleryQueue(app), pool_size=settings.database_pool_size)
    await parts.open()
    fetching = Fetching(
        parts.context,
        parts.shares,
        parts.outbound,
        at_once=settings.fetches_at_once,
        at_once_each=settings.fetches_at_once_each,
    )
    try:
        yield Transferring(parts.context, fetching, recheck=timedelta(seconds=settings.replica_recheck_seconds))
    finally:
        await parts.close()


tasks.register_transfers(app, WorkerProcess(app, settings, _transferring), settings.transfers_at_once)
