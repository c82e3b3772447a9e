"""Items: their states, and what becomes of one when its upload gets on."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal
from uuid import UUID

from common.errors import Conflict, NotFound

ITEM_LIMIT = 1000
"""The most items of a share."""
LOOK_AGAIN = timedelta(minutes=1)
"""The pause between two looks of a sweep at an upload that may have ended without telling."""
ABANDONED = timedelta(days=1)
"""An item whose upload nobody has begun after so long is not waited for any more."""

ItemKind = Literal["file", "text"]
ItemState = Literal["waiting", "verifying", "ready", "failed", "removed"]
"""waiting: its content has not arrived. verifying: all bytes are there. ready: can be fetched. failed: abandoned by its
sender, or not what was claimed. removed: not shown any more, what it holds is to be given back."""
Stage = Literal["open", "verifying", "ready", "aborted", "failed"]
"""The stages of an upload. aborted: by its sender, who may begin another one. failed: its content is not what was
claimed, or it was left alone for too long."""


class UnknownItem(NotFound):
    """The share has no such item."""

    code = "unknown_item"


class TicketInvalid(NotFound):
    """This is not the ticket of an item that waits for its content."""

    code = "ticket_invalid"


class ItemComplete(Conflict):
    """The item has its content already."""

    code = "item_complete"


@dataclass(frozen=True, slots=True)
class Item:
    """An item as it is stored."""

    id: UUID
    share_id: UUID
    kind: ItemKind
    name: str
    size: int
    """In bytes."""
    body: str | None
    """The content of a text."""
    sha256: bytes | None
    """None until it is ready."""
    state: ItemState
    session_id: UUID | None
    """The upload session that brings its content."""
    file_id: UUID | None

    @property
    def is_open(self) -> bool:
        """Whether its content is still to come."""
        return self.state in ("waiting", "verifying")


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item that is to be added to a share: a file to come, a text, or a file that is there already."""

    id: UUID
    kind: ItemKind
    name: str
    size: int
    body: str | None = None
    sha256: bytes | None = None
    file_id: UUID | None = None

    @property
    def state(self) -> ItemState:
        return "waiting" if self.sha256 is None else "ready"


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of an upload, as the upload service tells it."""

    stage: Stage
    received: int = 0
    """In bytes."""
    file_id: UUID | None = None
    """The file that it became, once all its bytes are there."""
    sha256: bytes | None = None
    """The digest of the file, once it is ready."""


@dataclass(frozen=True, slots=True)
class Awaited:
    """The number of files of a share that have not arrived."""

    share_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Held:
    """The number of the items that a share has, and their sizes in bytes."""

    number: int
    size: int
    text_size: int
    """The bytes of its texts alone."""


NOTHING = Held(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Holding:
    """The upload and the file that an item holds at the upload service."""

    item_id: UUID
    session_id: UUID | None
    file_id: UUID | None


def advanced(item: Item, progress: Progress) -> Item:
    """The item after its upload got on. One that is ready, failed or removed stays as it is."""
    if not item.is_open:
        return item
    match progress.stage:
        case "open":
            # Bytes that the store has lost are sent again.
            return replace(item, state="waiting", file_id=None)
        case "verifying":
            return replace(item, state="verifying", file_id=progress.file_id)
        case "ready":
            return replace(item, state="ready", file_id=progress.file_id, sha256=progress.sha256)
        case "aborted":
            return replace(item, state="waiting", session_id=None, file_id=None)
        case "failed":
            return replace(item, state="failed", file_id=None)
