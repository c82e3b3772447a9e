"""The context of content: everything its use cases work with."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from common.db import Database
from common.passwords import Passwords
from common.store import ObjectStore
from upload_service.content.hooks import Hooks
from upload_service.content.model import Quota
from upload_service.content.running_digests import RunningDigests
from upload_service.shares import Shares


class Queue(Protocol):
    """Leaves work for the workers. A message may be lost: a sweep finds what it was about."""

    async def verify(self, session_id: UUID) -> None:
        """Have a session assembled and verified."""
        ...

    async def verify_again(self, session_ids: Sequence[UUID]) -> int:
        """Have sessions verified whose message may be lost: the first ones, as many as there is room for.

        Returns their number.
        """
        ...


class Directory(Protocol):
    """Knows the accounts."""

    async def exists(self, account: UUID) -> bool:
        """Whether there is an account with this id. Raises `Unavailable`."""
        ...


async def unlimited(_owner: UUID | None) -> Quota:
    """The limits of a system that has none."""
    return Quota()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One for each process. The contexts of the slices above inherit it, and the service's own is all of them."""

    db: Database
    store: ObjectStore
    queue: Queue
    shares: Shares
    directory: Directory
    passwords: Passwords
    hooks: Hooks
    limits_for: Callable[[UUID | None], Awaitable[Quota]] = unlimited
    """The limits for the files of an account (None: of guests), unless it has its own."""
    digests: RunningDigests = field(default_factory=RunningDigests)
    session_lifetime: timedelta
    """How long an upload may stand still."""
    garbage_grace: timedelta
    """How long the object of a blob is kept that no file names."""
    unclaimed_lifetime: timedelta
    """The age from which a file is released that no share holds."""
