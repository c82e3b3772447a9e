"""The things that the use cases of mirrors work with."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from upload_service.content import context as content
from upload_service.mirrors.opened_drivers import MirrorDrivers


class Queue(content.Queue, Protocol):
    """Leaves work for the workers, copies to mirrors too."""

    async def replicate(self, replica_id: UUID) -> None:
        """Have done with a replica what is due."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(content.Context):
    """Those of content, and mirrors' own."""

    queue: Queue
    drivers: MirrorDrivers
    replica_recheck: timedelta
    """How long a verified replica is trusted before it is read back again."""
