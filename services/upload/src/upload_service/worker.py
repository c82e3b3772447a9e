"""The upload service's worker: `celery -A upload_service.worker:app worker -Q upload`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from common.queue.app import WorkerProcess, create_celery
from upload_service import tasks
from upload_service.build import SERVICE, build
from upload_service.settings import UploadSettings
from upload_service.tasks import CeleryQueue, Working

# A child runs one task at a time: one connection for it, one for renewing its claims.
POOL_SIZE = 2

settings = UploadSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
app = create_celery(SERVICE, settings.broker_url.get_secret_value())


@asynccontextmanager
async def _working() -> AsyncGenerator[Working]:
    parts = build(settings, CeleryQueue(app), pool_size=POOL_SIZE)
    await parts.open()
    try:
        yield Working(
            parts.context,
            parts.shares,
            garbage_grace=timedelta(seconds=settings.garbage_grace_seconds),
            unclaimed_lifetime=timedelta(seconds=settings.unclaimed_lifetime_seconds),
        )
    finally:
        await parts.close()


tasks.register(app, WorkerProcess(app, settings, _working))
