"""The context of the use cases: the connections and settings that they work with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from common.calls import Calls
from common.db import Database
from common.limits import Limiter
from common.outbound.client import Outbound
from common.password_tries import PasswordTries
from common.peers import Peer
from common.policy import Policy
from common.remembered import Remembered


class PolicySource(Protocol):
    """The source of the policy in force."""

    defaults: Policy
    """The policy of the environment alone."""

    async def current(self) -> Policy:
        """The policy, a few seconds old at most. Raises `DatabaseUnavailable` if it was never read."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """One for each process; the service and its worker build the same."""

    db: Database
    auth: Peer
    upload: Peer
    chat: Peer
    calls: Calls
    outbound: Outbound
    """For webhooks of accounts: it reaches public addresses only."""
    outbound_of_place: Outbound
    """For webhooks of the place."""
    networks_of_place: str
    """The networks beside public ones that notices of the place may lead to, as in the setting."""
    service_urls: Mapping[str, str]
    """The URLs of the other services, by their names, for asking whether they are ready."""
    policy: PolicySource
    sums: Remembered
    """Sums over all shares, by the day that they are asked for."""
    limiter: Limiter
    passwords: PasswordTries
    guess_global_count: int
    """Wrong codes that all client addresses together may send per minute before those that sent some are refused."""
    key_secret: str
    """The secret from which the keys of downloads and deletions are derived."""

    async def is_suspended(self, account_id: UUID) -> bool:
        """Whether an account is suspended. To be asked where none of its credentials is shown. Raises `Unavailable`."""
        return bool((await self._standing(account_id))["suspended"])

    async def is_administrator(self, account_id: UUID) -> bool:
        """Whether an account has the rights of an administrator at this moment. Raises `Unavailable`."""
        # Auth that has not been replaced yet says nothing of that.
        return bool((await self._standing(account_id)).get("administrator", True))

    async def _standing(self, account_id: UUID) -> dict[str, Any]:
        return await self.auth.call("GET", f"/internal/accounts/{account_id.hex}/suspension")
