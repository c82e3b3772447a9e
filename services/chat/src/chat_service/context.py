"""The parts that the use cases of the chat service work with."""

import hmac
from dataclasses import dataclass

from chat_service.accounts import Accounts
from chat_service.bounds import Bounds
from chat_service.filters import Texts
from chat_service.rooms.states import RoomStates
from chat_service.shares import Shares
from chat_service.streams import MessageLists, Streams
from common.asked_policy import AskedPolicy
from common.db import Database
from common.errors import Unavailable
from common.identities import Identities
from common.limits import Budget
from common.password_tries import PasswordTries


@dataclass(frozen=True, slots=True)
class Context:
    """One for each process; the service and its worker build the same."""

    db: Database
    streams: Streams
    states: RoomStates
    lists: MessageLists
    passwords: PasswordTries
    accounts: Accounts
    shares: Shares
    identities: Identities
    texts: Texts
    bounds: Bounds
    """Those of the environment."""
    policy: AskedPolicy
    unanswered: Budget
    """For each account: direct messages to people who have never written to it."""
    public_url: str
    """As it is configured; empty: the host name that each request came to."""
    address_secret: bytes = b""
    """The key of digests of addresses."""

    def address_digest(self, room_id: int, address: str) -> bytes:
        """A digest of an address that can be compared within one room alone, and only by this system."""
        return hmac.digest(self.address_secret, f"address\0{room_id}\0{address}".encode(), "sha256")

    async def room_bounds(self) -> Bounds:
        """The limits of rooms in force: those of the policy, or the environment's where it says nothing."""
        try:
            return self.bounds.under(await self.policy.current())
        except Unavailable:
            return self.bounds
