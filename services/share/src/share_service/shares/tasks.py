"""The task that sweeps."""

from celery import Celery

from common.queue.app import WorkerProcess
from share_service.context import Context
from share_service.shares.sweeping import sweep


def register(app: Celery, process: WorkerProcess[Context]) -> None:
    """Make the task known to the worker."""

    def expire_shares() -> None:
        process.run(sweep)

    app.task(expire_shares, name="share.expire_shares")
