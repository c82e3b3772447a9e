"""The live connections of this process, and how many there may be."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from chat_service.live.subscription import Listener
from common.errors import RateLimited


class TooManyConnections(RateLimited):
    """There are too many live connections: of this account, of this address, or of all."""

    code = "too_many_connections"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The live connections that a process holds at once."""

    per_account: int = 1_000_000
    per_address: int = 1_000_000
    in_all: int = 1_000_000


class Connections:
    """The connections as they come and go."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._of_account: Counter[UUID] = Counter()
        self._of_address: Counter[str] = Counter()

    def add(self, listener: Listener) -> None:
        """Count a connection. Raises `TooManyConnections`."""
        account, limits = listener.identity.account_id, self._limits
        if (
            self._of_account[account] >= limits.per_account
            or self._of_address[listener.address] >= limits.per_address
            or self._of_address.total() >= limits.in_all
        ):
            raise TooManyConnections
        self._of_account[account] += 1
        self._of_address[listener.address] += 1

    def remove(self, listener: Listener) -> None:
        """Count a connection no more."""
        account = listener.identity.account_id
        self._of_account[account] -= 1
        self._of_address[listener.address] -= 1
        if not self._of_account[account]:
            del self._of_account[account]
        if not self._of_address[listener.address]:
            del self._of_address[listener.address]


class RoomSizes:
    """The number of listeners of each room, and the share of the process's time that each room may take."""

    def __init__(self) -> None:
        self._rooms: Counter[int] = Counter()

    def change(self, before: int, after: int) -> None:
        """Note that the listeners of a room have become more or fewer."""
        self._rooms[before] -= 1
        if not self._rooms[before] or not before:
            del self._rooms[before]
        if after:
            self._rooms[after] += 1

    def weight(self, size: int) -> int:
        """The listeners of all rooms, of which each counts as many as a room of `size` has, at most.

        So a room's frames become rarer by its own listeners and by those of as many other rooms as there are, but a
        small room does not wait for the listeners of a large one.
        """
        return sum(min(each, size) * number for each, number in self._rooms.items())
