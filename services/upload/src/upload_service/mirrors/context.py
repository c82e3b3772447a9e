"""The context of the mirrors slice: everything that its use cases work with."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from upload_service.content import context as content
from upload_service.mirrors.opened_drivers import MirrorDrivers


class Queue(content.Queue, Protocol):
    """Leaves work for the workers, including copies to mirrors."""

    async def replicate(self, replica_id: UUID) -> None:
        """Have a replica worked on: copied, checked or removed, as is due."""
        ...

    async def restore(self, blob_id: UUID) -> None:
        """Have a blob restored that the store has lost."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(content.Context):
    """The context of content, and what mirrors add."""

    queue: Queue
    drivers: MirrorDrivers
    replica_recheck: timedelta
    """How long a verified replica is trusted before it is read back again."""
