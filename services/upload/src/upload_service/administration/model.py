"""The lists of all files and of all fetches: their filters and orders."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from common.places import Place, Value
from upload_service.content.model import File, FileState
from upload_service.fetches.model import FetchState
from upload_service.mirrors.model import Mirror

BATCH_LIMIT = 1000

SortKey = Literal["created_at", "size"]
KINDS: dict[SortKey, type[Value]] = {"created_at": datetime, "size": int}
"""The types of the columns."""
Health = Literal["ok", "failing", "paused", "unknown", "disabled", "removing"]
"""failing: the last probe failed. paused: nothing is tried for a while. unknown: not probed since the last change."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The files to be listed. None: whatever it is."""

    keyword: str | None = None
    """In lower case. Three characters or more are found anywhere in the name, fewer only at its beginning."""
    sha256: bytes | None = None
    owner: UUID | None = None
    state: FileState | None = None
    larger_than: int | None = None
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list; files that are equal in it are in the order of their ids."""

    key: SortKey = "created_at"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class FetchFilter:
    """The fetches to be listed. None: whatever it is."""

    owner: UUID | None = None
    state: FetchState | None = None


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file with the numbers of its replicas, by their states."""

    file: File
    replicas: Mapping[str, int]


def place_of(file: File, order: Order) -> Place:
    """The place of a file in a list of this order."""
    return Place(file.size if order.key == "size" else file.created_at, file.id)


def health_of(mirror: Mirror, now: datetime) -> Health:
    """The health of a mirror, in one word."""
    if mirror.removed_at:
        return "removing"
    if not mirror.is_enabled:
        return "disabled"
    if mirror.open_until and mirror.open_until > now:
        return "paused"
    if mirror.probe_error:
        return "failing"
    return "ok" if mirror.was_well else "unknown"
