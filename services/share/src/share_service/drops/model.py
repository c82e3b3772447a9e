"""Drop-offs: their limits, and when they end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from common.errors import Conflict, Gone, NotFound
from common.policy import Policy, SizeRefused
from share_service.items.model import NewItem
from share_service.sending.model import TooManyItems

CODE_LENGTH = 8
DROPS_EACH = 1000
"""The number of drop-offs that an account may have, with those that have ended and are still kept."""
"""Of a random code. It is known for longer than that of a share, and whoever guesses it can send."""
KEPT = timedelta(days=30)
"""One that has ended is kept this long, so that its owner still sees what came by it."""


class UnknownDrop(NotFound):
    """No drop-off has this code."""

    code = "unknown_code"


class TooManyDrops(Conflict):
    """You have as many drop-offs as are allowed; those that have ended are forgotten after a month."""

    code = "too_many_drops"


class DropEnded(Gone):
    """This drop-off takes nothing any more."""

    code = "drop_ended"


@dataclass(frozen=True, slots=True)
class Drop:
    """A drop-off as it is stored. A limit that is None is that of the policy, or of every share."""

    id: UUID
    code: str
    owner: UUID
    title: str
    greeting: str | None
    size_limit: int | None
    """The most bytes of all items of one share."""
    item_limit: int | None
    """The most items of one share."""
    share_limit: int | None
    """The most shares that it takes."""
    types: list[str]
    """Rules for the names of files, as in the policy; none: all that the policy allows."""
    received: int
    """The number of shares that it has taken."""
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Whether it takes another share."""
        has_room = self.share_limit is None or self.received < self.share_limit
        return has_room and self.ended_at is None and (self.expires_at is None or self.expires_at > now)

    def check(self, items: Sequence[NewItem], policy: Policy) -> None:
        """Raise `TooManyItems`, `SizeRefused` or `TypeRefused` for items that it does not take."""
        if self.item_limit is not None and len(items) > self.item_limit:
            raise TooManyItems(f"at most {self.item_limit} items at once")
        if self.size_limit is not None and sum(item.size for item in items) > self.size_limit:
            raise SizeRefused(self.size_limit)
        types = policy.model_copy(update={"allowed_file_types": self.types})
        for item in items:
            if item.kind == "file":
                types.check_type(item.name)


class Limits(TypedDict, total=False):
    """New values of what an owner may change; those that are absent stay as they are."""

    title: str
    greeting: str | None
    size_limit: int | None
    item_limit: int | None
    share_limit: int | None
    types: list[str]
    expires_at: datetime | None
