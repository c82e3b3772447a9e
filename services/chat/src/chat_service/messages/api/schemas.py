"""The JSON that the native API of messages takes and returns."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from chat_service.edge import RequestModel


class MessageRequest(RequestModel):
    """A message to post. `reply_to` is the id of another message.

    `share_id` is one of your own links to a file, which the message then carries; without a `text`, its text is the
    link.
    """

    text: str = ""
    reply_to: Annotated[str, Field(max_length=64)] | None = None
    share_id: UUID | None = None


class TextRequest(RequestModel):
    """The new text of a message."""

    text: str


class FileView(BaseModel):
    """A file that a message carries. `size` in bytes.

    `expires_at` is when the link ends, as that was known when it was posted; null: it does not end by itself.
    """

    name: str
    size: int
    type: str
    url: str
    expires_at: datetime | None = None


class MessageView(BaseModel):
    """A message. Its text is exactly what was sent, so a page must show it as text and never as HTML."""

    id: str
    author: UUID
    name: str
    """The author's name when the message was posted."""
    mixed_scripts: tuple[str, ...] = ()
    """The scripts of a name that mixes some, as codes of ISO 15924."""
    text: str
    created_at: datetime
    edited: bool
    reply_to: str | None
    file: FileView | None


class MessageList(BaseModel):
    """The messages of a room, the oldest first."""

    messages: list[MessageView]
