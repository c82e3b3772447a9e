"""Contexts of the upload service for tests that call its use cases, without a worker or other services."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from common.db import Database
from common.limits import Limiter
from common.outbound.client import Outbound
from common.passwords import Passwords
from common.peers import Peers
from common.store import ObjectStore
from upload_service.context import Context
from upload_service.directory import Directory
from upload_service.mirrors.drivers import Rules
from upload_service.mirrors.hooks import MirrorHooks
from upload_service.mirrors.opened_drivers import MirrorDrivers
from upload_service.mirrors.sealing import Sealer
from upload_service.rooms import Rooms
from upload_service.shares import Shares

NOWHERE = "http://127.0.0.1:1"
"""Nothing listens there."""


@dataclass
class Requests:
    """A queue that remembers what was left in it."""

    verifications: list[UUID] = field(default_factory=list[UUID])
    replicas: list[UUID] = field(default_factory=list[UUID])
    restorations: list[UUID] = field(default_factory=list[UUID])
    fetches: list[UUID] = field(default_factory=list[UUID])

    async def verify(self, session_id: UUID) -> None:
        self.verifications.append(session_id)

    async def verify_again(self, session_ids: Sequence[UUID]) -> int:
        self.verifications += session_ids
        return len(session_ids)

    async def replicate(self, replica_id: UUID) -> None:
        self.replicas.append(replica_id)

    async def restore(self, blob_id: UUID) -> None:
        self.restorations.append(blob_id)

    async def fetch(self, fetch_id: UUID) -> None:
        self.fetches.append(fetch_id)


def new_drivers(rules: Rules | None = None) -> MirrorDrivers:
    """Drivers of mirrors whose options are sealed with a key of their own."""
    return MirrorDrivers(Sealer(secrets.token_hex(32)), rules or Rules())


def new_context(db: Database, store: ObjectStore, **changes: Any) -> Context:
    """A context on this database and store, with a few things changed. No other service answers it."""
    queue = changes.setdefault("queue", Requests())
    drivers = changes.setdefault("drivers", new_drivers())
    peers = Peers("upload", secret="secret", auth_url=NOWHERE)
    values: dict[str, Any] = {
        "peers": peers,
        "shares": Shares(peers.auth),
        "rooms": Rooms(peers.auth),
        "directory": Directory(peers.auth),
        "passwords": Passwords(),
        "limiter": Limiter("redis://127.0.0.1:1"),
        "outbound": Outbound(allowed=(), stall_seconds=30),
        "hooks": MirrorHooks(db, queue, drivers.sealer),
        "session_lifetime": timedelta(hours=24),
        "garbage_grace": timedelta(hours=1),
        "unclaimed_lifetime": timedelta(hours=24),
        "complete_wait": timedelta(seconds=20),
        "replica_recheck": timedelta(days=7),
        "fetch_lifetime": timedelta(hours=6),
        "fetches_open": 50,
        "fetches_at_once": 10,
        "fetches_at_once_each": 5,
        "public_url": "",
        "file_uploader_uploads_per_minute": 2,
        "file_uploader_max_size": 100 * 1024**2,
        "mirrorace_max_chunk_size": 99_999_995,
        "mirrorace_max_file_size": 10 * 1024**3,
        "mirrorace_max_mirrors": 100,
    }
    return Context(db=db, store=store, **(values | changes))
