"""The part of the system's state that this service can see: the store, and the queues with their workers."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common.queue.presence import QueueState, look_at_queues
from common.store.room import free_bytes
from upload_service.context import Context
from upload_service.quotas.queries import usage_of_all
from upload_service.settings import UploadSettings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The store, and the broker of the queues."""

    store: Literal["s3", "folder"]
    folder: Path | None
    """One on the disk of the store; None: it is not on this machine."""
    reserve: int
    broker_url: str

    @staticmethod
    def of(settings: UploadSettings) -> "Surroundings":
        return Surroundings(
            settings.store,
            Path(settings.store_folder) if settings.store_folder else None,
            settings.store_reserve_bytes,
            settings.broker_url.get_secret_value(),
        )


@dataclass(frozen=True, slots=True)
class StoreState:
    """The store. Sizes in bytes."""

    kind: Literal["s3", "folder"]
    used_bytes: int
    """Of all files together, each content as often as there are files of it."""
    free_bytes: int | None
    """None: only the store knows."""
    reserve_bytes: int | None


async def look_at_store(context: Context, surroundings: Surroundings) -> StoreState:
    """The use of the store, and the room that is left. Raises `DatabaseUnavailable`."""
    async with context.db.connection() as connection:
        _, place = await usage_of_all(connection)
    folder = surroundings.folder
    if folder is None or not folder.exists():
        return StoreState(surroundings.store, place.bytes, None, None)
    return StoreState(surroundings.store, place.bytes, free_bytes(folder), surroundings.reserve)


async def look_at_workers(surroundings: Surroundings) -> list[QueueState]:
    """The queues and their workers. Raises `Unavailable`."""
    return await asyncio.to_thread(look_at_queues, surroundings.broker_url)
