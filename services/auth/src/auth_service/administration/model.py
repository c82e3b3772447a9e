"""The list of all accounts: its filters and orders."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from auth_service.directory.model import Account
from common.identity import Role
from common.places import START, Place, Value, lowered

State = Literal["active", "suspended"]
SortKey = Literal["created_at", "name", "last_seen_at"]
KINDS: dict[SortKey, type[Value]] = {"created_at": datetime, "name": str, "last_seen_at": datetime}
"""The types of the columns."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The accounts to be listed. None: whatever it is."""

    keyword: str | None = None
    """In lower case. Three characters or more are found anywhere in the name or the e-mail address; fewer only at the
    beginning of a word."""
    account_id: UUID | None = None
    role: Role | None = None
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list; accounts that are equal in it are in the order of their ids."""

    key: SortKey = "created_at"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Detail:
    """An account with the numbers of its sessions and API keys."""

    account: Account
    sessions: int
    keys: int


def place_of(account: Account, order: Order) -> Place:
    """The place of an account in a list of this order."""
    values: dict[SortKey, Value] = {
        "created_at": account.created_at,
        "name": lowered(account.name)[:64],
        "last_seen_at": account.last_seen_at or START,
    }
    return Place(values[order.key], account.id)
