"""The shapes of the native calls of administrators."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from share_service.administration.model import BATCH_LIMIT, NOTE_LENGTH, TAG_LENGTH, TAGS_AT_MOST, Status
from share_service.shares.model import ContentKind, ShareKind

# PostgreSQL cannot store NUL in a text.
Name = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]
NoteText = Annotated[str, Field(max_length=NOTE_LENGTH, pattern=r"^[^\x00]*$")]
Tags = Annotated[
    list[Annotated[str, Field(max_length=TAG_LENGTH, pattern=r"^[^\x00]*$")]], Field(max_length=TAGS_AT_MOST)
]
Uses = Annotated[int, Field(ge=1, le=2**31 - 1)]
Seconds = Annotated[int, Field(ge=1, le=100 * 366 * 24 * 60 * 60)]


class AdministeredShare(BaseModel):
    """A share. `size` in bytes; `downloads_left` null: any number; `expires_at` null: never."""

    id: UUID
    form: ShareKind
    code: str
    url: str | None
    kind: ContentKind
    file_id: UUID | None
    owner: UUID | None
    """The account; null: it belongs to nobody."""
    name: str
    size: int
    created_at: datetime
    expires_at: datetime | None
    downloads: int
    downloads_left: int | None
    has_password: bool
    status: Status
    note: str
    tags: list[str]


class AdministeredPage(BaseModel):
    """Shares. `next`: the value of `after` for those that follow; null at the end. `total`: the number of all."""

    shares: list[AdministeredShare]
    next: str | None
    total: int | None
    """Only on the first page; of a search, 100,000 at most are counted."""


class ShareEdit(BaseModel):
    """New values. null: never (`expires_at`), any number (`downloads_left`), a new random one (`code`)."""

    model_config = {"extra": "forbid"}

    name: Name = ""
    expires_at: AwareDatetime | None = None
    downloads_left: Uses | None = None
    code: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    note: NoteText = ""
    tags: Tags = []


class BatchRequest(BaseModel):
    """An act on many shares.

    extend: by `seconds`. expire: at `expires_at`, null: never. limit: to `downloads_left`, null: any number. annotate:
    with `note` and `tags`, of which absent ones stay as they are. end and new_code need nothing more.
    """

    model_config = {"extra": "forbid"}

    ids: Annotated[list[UUID], Field(min_length=1, max_length=BATCH_LIMIT)]
    act: Literal["extend", "expire", "limit", "end", "new_code", "annotate"]
    seconds: Seconds | None = None
    expires_at: AwareDatetime | None = None
    downloads_left: Uses | None = None
    note: NoteText | None = None
    tags: Tags | None = None


class BatchAnswer(BaseModel):
    """The shares that were changed, those that are not there, and those to which the act does not apply."""

    done: list[UUID]
    missing: list[UUID]
    failed: dict[UUID, str] = {}
    """With the reason."""
    codes: dict[UUID, str] = {}
    """The new codes."""
