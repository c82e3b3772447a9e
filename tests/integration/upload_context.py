"""What operations of the upload service work with in tests: real engines, and a queue that only remembers."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from common.blob import ObjectStore
from common.db import Database
from common.http.outbound import Outbound
from upload_service.drivers import Rules
from upload_service.drivers.public_urls import PublicUrls
from upload_service.operations.context import Context
from upload_service.operations.mirror_drivers import MirrorDrivers
from upload_service.operations.passing import PassingDigests
from upload_service.sealing import Sealer


@dataclass
class RecordedQueue:
    """What was left for workers."""

    verified: list[UUID] = field(default_factory=list[UUID])
    replicated: list[UUID] = field(default_factory=list[UUID])
    fetched: list[UUID] = field(default_factory=list[UUID])

    async def verify(self, session_id: UUID) -> None:
        self.verified.append(session_id)

    async def replicate(self, replica_id: UUID) -> None:
        self.replicated.append(replica_id)

    async def fetch(self, fetch_id: UUID) -> None:
        self.fetched.append(fetch_id)


def make_context(
    db: Database, store: ObjectStore, queue: RecordedQueue, passing: PassingDigests | None = None
) -> Context:
    """A context without any mirror."""
    rules = Rules(folders=(), urls=PublicUrls(Outbound()))
    drivers = MirrorDrivers(Sealer("a key of sixteen"), rules)
    return Context(db, store, timedelta(hours=24), queue, drivers, passing or PassingDigests())
