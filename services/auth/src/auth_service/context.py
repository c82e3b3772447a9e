"""The contexts that use cases take. `app.py` and `worker.py` build them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from auth_service.limits import CallLimits, WrongPasswordBudgets
from common.asked_policy import AskedPolicy
from common.calls import Calls
from common.credentials import CredentialCache
from common.db import Database
from common.limits import Limiter
from common.passwords import Passwords
from common.peers import Peer


@dataclass(frozen=True, slots=True)
class Context:
    """The context of the use cases behind the HTTP calls: one for each process of the service."""

    db: Database
    cache: CredentialCache
    passwords: Passwords
    limiter: Limiter
    calls: CallLimits
    wrong_passwords: WrongPasswordBudgets
    service_secrets: Mapping[str, str]
    """The secrets that the services identify themselves with, by the services' names."""
    policy: AskedPolicy
    admin_name: str
    """The name of the account whose password opens FileCodeBox's administration."""
    public_url: str
    calls_to_others: Calls
    share: Peer
    """The share service, which is told at once when an account ends."""
    request_erasure: Callable[[], Awaitable[None]]
    """Queues the erasure of deleted accounts' data. A sweep makes up for a lost message."""

    async def close(self) -> None:
        """Close all connections and threads."""
        self.passwords.close()
        await self.calls_to_others.aclose()
        await self.cache.close()
        await self.limiter.close()
        await self.db.close()


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """The context of the sweeps: one for each process of the worker.

    It is less than a `Context` on purpose: the worker is told no password and no other service's secret.
    """

    db: Database
    services: Mapping[str, Peer]
    """The services that keep data of accounts, by their names."""
    key_lifetime: timedelta
    """How long a signing key signs before the sweep replaces it."""
