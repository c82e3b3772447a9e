"""The sweep of the chat service."""

from dataclasses import dataclass

from celery import Celery

from chat_service.rooms.purging import purge_rooms
from chat_service.shares import Shares
from chat_service.streams import Streams
from common.db import Database
from common.queue.app import WorkerProcess


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What the sweep works with."""

    database: Database
    streams: Streams
    shares: Shares


def register(app: Celery, process: WorkerProcess[WorkerState]) -> None:
    """Make the task known to the worker. It is not retried: the next sweep comes anyway."""

    def purge() -> None:
        process.run(lambda state: purge_rooms(state.database, state.streams, state.shares))

    app.task(purge, name="chat.purge_rooms")
