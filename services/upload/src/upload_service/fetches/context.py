"""The context of the fetches slice: everything that its use cases work with."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from common.outbound.client import Outbound
from upload_service.mirrors import context as mirrors


class Queue(mirrors.Queue, Protocol):
    """Leaves work for the workers, including fetches."""

    async def fetch(self, fetch_id: UUID) -> None:
        """Have a URL fetched."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(mirrors.Context):
    """The context of content and mirrors, and what fetches add."""

    queue: Queue
    outbound: Outbound
    fetch_lifetime: timedelta
    """How long a fetch may take."""
    fetches_open: int
    """The number of unfinished fetches that an account may have."""
    fetches_at_once: int
    """The number of fetches that run at the same time."""
    fetches_at_once_each: int
    """The number of those that may belong to one account."""
    public_url: str
    """The address that links begin with; empty: that of the request."""
