"""The bodies of answers about codes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from share_service.codes.opening import Opened
from share_service.downloads.media_types import DOWNLOAD_TYPE, preview_type
from share_service.sending.seeing import SeenItem, SeenState, is_complete


class CodeItem(BaseModel):
    """An item. `size` and `received` in bytes; `sha256` null until it is ready, and where `text` is kept back."""

    id: UUID
    name: str
    size: int
    type: str
    """The media type by which browsers show it; `application/octet-stream` for one that can only be saved."""
    state: SeenState
    received: int
    sha256: str | None
    text: str | None
    """The content of a text; null for a file, and where downloads are counted: then it is fetched like a file."""


class CodeView(BaseModel):
    """The share that a code stands for. `expires_at` null: never; `downloads_left` null: any number."""

    code: str
    title: str | None
    message: str | None
    created_at: datetime
    expires_at: datetime | None
    downloads_left: int | None
    password_required: bool
    complete: bool
    """Whether everything can be fetched."""
    size: int
    items: list[CodeItem]


class CodeTicket(BaseModel):
    """A ticket for links (`?ticket=`). Until it expires it may begin downloads; those that it began may go on."""

    ticket: str
    expires_at: datetime


def code_view(opened: Opened, items: Sequence[SeenItem]) -> CodeView:
    share = opened.share
    return CodeView(
        code=share.code,
        title=share.title,
        message=share.message,
        created_at=share.created_at,
        expires_at=share.expires_at,
        downloads_left=share.uses_left,
        password_required=opened.password_hash is not None,
        complete=is_complete(items),
        size=sum(item.size for item in items),
        items=[_item(item, is_counted=share.uses_left is not None) for item in items],
    )


def _item(item: SeenItem, *, is_counted: bool) -> CodeItem:
    return CodeItem(
        id=item.id,
        name=item.name,
        size=item.size,
        type=item_type(item.name) if item.kind == "file" else TEXT_TYPE,
        state=item.state,
        received=item.received,
        # The digest of a short text would tell the text.
        sha256=item.sha256.hex() if item.sha256 and not (is_counted and item.kind == "text") else None,
        text=None if is_counted else item.body,
    )


TEXT_TYPE = "text/plain; charset=utf-8"


def item_type(name: str) -> str:
    """The media type of a file of this name."""
    return preview_type(name) or DOWNLOAD_TYPE
