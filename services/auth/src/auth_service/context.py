"""What every operation works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from auth_service.limits import Failures
from common.credentials import CredentialCache
from common.db import Database
from common.passwords import Passwords


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that operations are made of; one for each process."""

    db: Database
    cache: CredentialCache
    passwords: Passwords
    failures: Failures
    open_registration: bool
    request_erasure: Callable[[], Awaitable[None]]
    """Queues the erasure of accounts that are gone; a lost message is made up for by a sweep."""
