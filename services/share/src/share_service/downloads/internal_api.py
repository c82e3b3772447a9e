"""`/internal/archives/…`: the upload service asks what the archive has that it is to make."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request
from pydantic import BaseModel, Field

from common.http.internal import called_by
from share_service.downloads.archives import items_of_ticket
from share_service.edge import context_of

Ticket = Annotated[str, Body(max_length=200)]

router = APIRouter(prefix="/internal/archives", include_in_schema=False, dependencies=[Depends(called_by("upload"))])


class ArchivedItem(BaseModel):
    """An item, of `size` bytes. `file_id` null: a text, which is asked for by itself."""

    id: UUID
    name: str
    size: int
    sha256: str
    file_id: UUID | None


class ArchiveAnswer(BaseModel):
    """The content of an archive. `modified`: the time of all its entries."""

    modified: datetime
    items: list[ArchivedItem]


class TextsAnswer(BaseModel):
    """Texts, by the ids of their items."""

    texts: dict[UUID, str]


@router.post("/{share_id}")
async def read_archive(request: Request, share_id: UUID, ticket: Annotated[Ticket, Body(embed=True)]) -> ArchiveAnswer:
    """The items of an archive, in their order."""
    share, items = await items_of_ticket(context_of(request), share_id, ticket)
    return ArchiveAnswer(
        modified=share.created_at,
        items=[
            ArchivedItem(
                id=item.id, name=item.name, size=item.size, sha256=(item.sha256 or b"").hex(), file_id=item.file_id
            )
            for item in items
        ],
    )


@router.post("/{share_id}/texts")
async def read_texts(
    request: Request, share_id: UUID, ticket: Ticket, item_ids: Annotated[list[UUID], Field(max_length=1000), Body()]
) -> TextsAnswer:
    """The texts of some of the items."""
    _, items = await items_of_ticket(context_of(request), share_id, ticket)
    wanted = set(item_ids)
    return TextsAnswer(texts={item.id: item.body for item in items if item.id in wanted and item.body is not None})
