"""The task that sweeps."""

from celery import Celery

from common.queue.worker import Worker
from share_service.context import Context
from share_service.drops.sweeping import sweep


def register(app: Celery, worker: Worker[Context]) -> None:
    """Make the task known to the worker."""

    def expire_shares() -> None:
        worker.run(sweep)

    app.task(expire_shares, name="share.expire_shares")
