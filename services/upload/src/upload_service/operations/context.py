"""What every operation works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from common.blob import ObjectStore
from common.db import Database
from upload_service.operations.passing import PassingDigests


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that operations are made of; one for each process."""

    db: Database
    store: ObjectStore
    session_lifetime: timedelta
    request_verification: Callable[[UUID], Awaitable[None]]
    """Queues the verification of a session; a lost message is found by a sweep."""
    passing: PassingDigests = field(default_factory=PassingDigests)
