"""The task that forgets."""

from celery import Celery

from common.queue.worker import Worker
from share_service.audit.forgetting import forget_old
from share_service.context import Context


def register(app: Celery, worker: Worker[Context]) -> None:
    """Make the task known to the worker."""

    def forget_audit() -> None:
        worker.run(forget_old)

    app.task(forget_audit, name="share.forget_audit")
