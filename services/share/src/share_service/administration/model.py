"""The list of all shares: its filters and orders, and the things that administrators do to shares."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from common.errors import InvalidInput
from share_service.shares.model import ContentKind, Share, ShareKind

NOTE_LENGTH = 2000
TAGS_AT_MOST = 12
TAG_LENGTH = 24
BATCH_LIMIT = 1000
EXPIRING = timedelta(days=1)
"""A share that ends within this time is said to expire soon."""

Status = Literal["active", "expired"]
"""expired: its time is over or its last use is taken, and the sweep has not ended it yet."""
Health = Literal["attention", "danger", "warning", "healthy", "permanent", "never_retrieved"]
"""attention: danger or warning. danger: expired. warning: expires soon. healthy: neither. permanent: no limits."""
SortKey = Literal["created_at", "expires_at", "name", "size", "downloads", "code"]


@dataclass(frozen=True, slots=True)
class Filter:
    """The shares to be listed. None: whatever it is."""

    keyword: str | None = None
    """In lower case. Three characters or more are found anywhere in the code, the name or the first 2,000 characters
    of a text; fewer only at the beginning of a word."""
    status: Status | None = None
    health: Health | None = None
    content_kinds: list[ContentKind] | None = None
    kind: ShareKind | None = None
    owner: UUID | None = None
    files: list[UUID] | None = None
    """The files of one content."""


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list; shares that are equal in it are in the order of their ids."""

    key: SortKey = "created_at"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """A share with what administrators noted about it."""

    share: Share
    note: str
    tags: list[str]
    noted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over all shares that hold something. Sizes in bytes."""

    shares: int
    size: int
    active: int
    expired: int
    texts: int
    files: int
    downloads: int
    today: int
    today_size: int
    yesterday: int
    yesterday_size: int
    expiring_soon: int
    never_retrieved: int
    permanent: int


@dataclass(frozen=True, slots=True)
class Preset:
    """A filter and order of the list that administrators keep under a name, in the words of the page that keeps it."""

    id: int
    name: str
    filters: dict[str, Any]
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """A note and tags, of which None leaves what there is."""

    note: str | None = None
    tags: list[str] | None = None

    @staticmethod
    def of(note: str | None, tags: list[str] | None) -> "Note":
        """Trimmed, with each tag once whatever its case. Raises `InvalidInput`."""
        if note is not None:
            note = note.strip()
        if tags is not None:
            tags = list({tag.strip().casefold(): tag.strip() for tag in reversed(tags) if tag.strip()}.values())[::-1]
        if note and len(note) > NOTE_LENGTH:
            raise InvalidInput(f"a note may have at most {NOTE_LENGTH} characters")
        if tags and (len(tags) > TAGS_AT_MOST or any(len(tag) > TAG_LENGTH for tag in tags)):
            raise InvalidInput(f"there may be at most {TAGS_AT_MOST} tags of at most {TAG_LENGTH} characters")
        if "\0" in (note or "") or any("\0" in tag for tag in tags or ()):
            raise InvalidInput("a note and tags must not contain NUL characters")
        return Note(note, tags)
