"""The bodies of requests and answers about shares of items."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from share_service.sending.model import Announced, Terms
from share_service.sending.seeing import SeenState
from share_service.shares.api import ChosenCode, Message, Password, ShareView, Title

# PostgreSQL cannot store NUL in a text.
CodeStyle = Literal["short", "words"]
Size = Annotated[int, Field(ge=0, le=2**63 - 1, strict=True)]


class ItemRequest(BaseModel):
    """A file to come (`name`, `size`), a text (`text`), or a file of the account (`file_id`)."""

    model_config = {"extra": "forbid"}

    name: Annotated[str, Field(min_length=1, max_length=8192, pattern=r"^[^\x00]*$")] | None = None
    size: Size | None = None
    text: Annotated[str, Field(min_length=1, pattern=r"^[^\x00]*$")] | None = None
    file_id: UUID | None = None

    def announced(self) -> Announced:
        return Announced(self.name, self.size, self.text, self.file_id)


class ItemsRequest(BaseModel):
    """More items for a share."""

    model_config = {"extra": "forbid"}

    items: Annotated[list[ItemRequest], Field(min_length=1)]


class SendRequest(ItemsRequest):
    """A share of items under a new code."""

    title: Title | None = None
    message: Message | None = None
    expire_style: Literal["day", "hour", "minute", "forever", "count"] | None = None
    """null: the first one that the policy offers, usually `day`."""
    expire_value: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] = 1
    password: Password | None = None
    code: ChosenCode | None = None
    """A code of the sender's choice: `chosen_code_length` (of the policy, 4) to 64 letters, digits, `-` and `_`;
    capital letters count like small ones."""
    code_style: CodeStyle = "short"
    """words: a code of four English words."""

    def terms(self) -> Terms:
        return Terms(
            self.title,
            self.message,
            self.expire_style,
            self.expire_value,
            self.password,
            self.code,
            has_words=self.code_style == "words",
        )


class SentItem(BaseModel):
    """An item. `size` and `received` in bytes; `sha256` null until it is ready."""

    id: UUID
    name: str
    size: int
    state: SeenState
    received: int
    sha256: str | None
    text: str | None
    """The content of a text; null for a file."""
    upload: str | None
    """The ticket with which its content is sent: the value of `item` in the metadata of a tus upload."""
    upload_id: UUID | None
    """The upload with which its sender has begun, and which goes on at `/v1/uploads/{upload_id}`; null: none."""


class SentView(ShareView):
    """A share as its sender sees it."""

    key: str | None
    """The key with which the sender, in the header `Share-Key`, sees, changes and ends the share."""
    used_count: int
    complete: bool
    """Whether everything can be fetched."""
    items: list[SentItem]
