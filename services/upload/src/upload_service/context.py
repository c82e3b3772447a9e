"""What every operation works with."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from common.db import Database
from common.store import ObjectStore
from upload_service.content.passing_digests import PassingDigests
from upload_service.mirrors.opened_drivers import MirrorDrivers


class Queue(Protocol):
    """Where work for others is left. A message that is lost is made good by a sweep."""

    async def verify(self, session_id: UUID) -> None:
        """Have a session assembled and proven."""
        ...

    async def replicate(self, replica_id: UUID) -> None:
        """Have done with a replica what is due."""
        ...

    async def fetch(self, fetch_id: UUID) -> None:
        """Have a URL fetched."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that operations are made of; one for each process."""

    db: Database
    store: ObjectStore
    session_lifetime: timedelta
    queue: Queue
    drivers: MirrorDrivers
    passing: PassingDigests = field(default_factory=PassingDigests)
