"""`/internal/events`: what the upload service tells of."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, Field

from common.http.internal import called_by
from share_service.edge import context_of
from share_service.webhooks.hearing import Told, hear

router = APIRouter(prefix="/internal/events", include_in_schema=False, dependencies=[Depends(called_by("upload"))])


class EventTold(BaseModel):
    """An event. `owner`: the account that it concerns; None: only the place."""

    id: UUID
    type: str
    owner: UUID | None
    at: AwareDatetime
    data: dict[str, Any]


class EventsTold(BaseModel):
    """Events, the oldest first."""

    events: Annotated[list[EventTold], Field(max_length=1000)]


@router.post("", status_code=204)
async def tell_events(request: Request, told: EventsTold) -> None:
    """Have webhooks and notices told of events."""
    events = [Told(event.id, event.type, event.owner, event.at, event.data) for event in told.events]
    await hear(context_of(request), events)
