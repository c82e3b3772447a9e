"""The task of the rooms: their sweep."""

from celery import Celery

from chat_service.context import Context
from chat_service.rooms.purging import purge_rooms
from common.queue.app import WorkerProcess


def register(app: Celery, process: WorkerProcess[Context]) -> None:
    """Make the task known to the worker. It is not retried, because the next sweep comes anyway."""

    def purge() -> None:
        process.run(purge_rooms)

    app.task(purge, name="chat.purge_rooms")
