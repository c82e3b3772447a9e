"""The task that adds what was handed over."""

from celery import Celery

from common.queue.worker import Worker
from share_service.context import Context
from share_service.statistics.folding import fold


def register(app: Celery, worker: Worker[Context]) -> None:
    """Make the task known to the worker."""

    def fold_statistics() -> None:
        worker.run(fold)

    app.task(fold_statistics, name="share.fold_statistics")
