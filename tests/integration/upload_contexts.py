"""What operations of the upload service are run with in tests, without a worker."""

import secrets
from dataclasses import dataclass, field
from uuid import UUID

from upload_service.mirrors.drivers import Rules
from upload_service.mirrors.opened_drivers import MirrorDrivers
from upload_service.mirrors.sealing import Sealer


@dataclass
class Requests:
    """A queue that remembers what was left in it."""

    verifications: list[UUID] = field(default_factory=list[UUID])
    replicas: list[UUID] = field(default_factory=list[UUID])
    fetches: list[UUID] = field(default_factory=list[UUID])

    async def verify(self, session_id: UUID) -> None:
        self.verifications.append(session_id)

    async def replicate(self, replica_id: UUID) -> None:
        self.replicas.append(replica_id)

    async def fetch(self, fetch_id: UUID) -> None:
        self.fetches.append(fetch_id)


def new_drivers(rules: Rules | None = None) -> MirrorDrivers:
    """Drivers of mirrors whose options are sealed with a key of their own."""
    return MirrorDrivers(Sealer(secrets.token_hex(32)), rules or Rules())
