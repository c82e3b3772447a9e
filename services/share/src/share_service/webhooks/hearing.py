"""Events that other services tell of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from share_service.context import Context
from share_service.webhooks import queries


@dataclass(frozen=True, slots=True)
class Told:
    """An event of another service. `owner`: the account that it concerns; None: only the place."""

    id: UUID
    type: str
    owner: UUID | None
    at: datetime
    data: dict[str, Any]


async def hear(context: Context, events: Sequence[Told]) -> None:
    """Have webhooks and notices told of these events. One that still waits and comes again changes nothing."""
    async with context.db.transaction() as connection:
        for event in events:
            await queries.insert_told(connection, event.id, event.type, event.owner, event.at, event.data)
