"""Events of this service that webhooks and notices tell of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

DISK_LOW = "disk.low"
"""The disk of the store has little more than its reserve left."""
LOW_AGAIN = timedelta(days=1)
"""A disk that stays nearly full is told of again after this long."""
KEPT = timedelta(days=1)
"""An event that could not be told for this long is dropped."""


@dataclass(frozen=True, slots=True)
class Event:
    """A row of `event`."""

    id: UUID
    type: str
    owner: UUID | None
    """The account that it concerns; None: the place."""
    at: datetime
    data: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        owner = self.owner.hex if self.owner else None
        return {"id": self.id.hex, "type": self.type, "owner": owner, "at": self.at.isoformat(), "data": self.data}
