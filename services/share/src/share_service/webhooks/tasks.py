"""The task that calls webhooks."""

from celery import Celery

from common.queue.worker import Worker
from share_service.context import Context
from share_service.webhooks.calling import call_webhooks


def register(app: Celery, worker: Worker[Context]) -> None:
    """Make the task known to the worker."""

    def call() -> None:
        worker.run(call_webhooks)

    app.task(call, name="share.call_webhooks")
