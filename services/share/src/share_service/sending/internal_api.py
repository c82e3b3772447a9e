"""`/internal/items/…`: the calls of the upload service about the contents of items."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request
from pydantic import BaseModel, Field

from common.http.internal import called_by
from share_service.edge import context_of
from share_service.items.model import Stage
from share_service.sending import filling

router = APIRouter(prefix="/internal/items", include_in_schema=False, dependencies=[Depends(called_by("upload"))])


class PlaceAnswer(BaseModel):
    """An item that waits for its content of `size` bytes, which belongs to `owner` (None: to nobody)."""

    item_id: UUID
    name: str
    size: int
    owner: UUID | None
    session_id: UUID | None
    """The upload that was to bring it."""


class BindAnswer(BaseModel):
    """The upload that was to bring the content before."""

    earlier: UUID | None


class ProgressReport(BaseModel):
    """The progress of an upload."""

    session_id: UUID
    stage: Stage
    received: int
    file_id: UUID | None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None


class ProgressAnswer(BaseModel):
    """Whether the item still wants the content of this upload."""

    is_wanted: bool


@router.post("/place")
async def find_place(request: Request, ticket: Annotated[str, Body(embed=True, max_length=200)]) -> PlaceAnswer:
    """The item of a ticket."""
    place = await filling.place_of_ticket(context_of(request), ticket)
    item = place.item
    return PlaceAnswer(
        item_id=item.id, name=item.name, size=item.size, owner=place.share.owner, session_id=item.session_id
    )


@router.post("/{item_id}/bind")
async def bind(request: Request, item_id: UUID, session_id: Annotated[UUID, Body(embed=True)]) -> BindAnswer:
    """Say which upload brings the content of an item."""
    return BindAnswer(earlier=await filling.bind_upload(context_of(request), item_id, session_id))


@router.post("/{item_id}/progress")
async def record(request: Request, item_id: UUID, report: ProgressReport) -> ProgressAnswer:
    """Say what has become of the upload of an item."""
    progress = filling.progress_from(report.model_dump(mode="json"))
    is_wanted = await filling.record_progress(context_of(request), item_id, report.session_id, progress)
    return ProgressAnswer(is_wanted=is_wanted)
