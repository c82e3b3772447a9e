"""The tasks of the service: its sweeps."""

from celery import Celery

from chat_service import sweeping
from chat_service.context import Context
from chat_service.rooms.purging import forget_texts
from common.queue.worker import Worker


def register(app: Celery, worker: Worker[Context]) -> None:
    """Make the tasks known to the worker. None is retried, because the next sweep comes anyway."""

    def purge() -> None:
        worker.run(sweeping.purge)

    def forget() -> None:
        worker.run(forget_texts)

    app.task(purge, name="chat.purge_rooms")
    app.task(forget, name="chat.forget_texts")
