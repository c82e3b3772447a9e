"""The task of the rooms: their sweep."""

from celery import Celery

from chat_service.context import Context
from chat_service.rooms.purging import purge_rooms
from common.queue.worker import Worker


def register(app: Celery, worker: Worker[Context]) -> None:
    """Make the task known to the worker. It is not retried, because the next sweep comes anyway."""

    def purge() -> None:
        worker.run(purge_rooms)

    app.task(purge, name="chat.purge_rooms")
