"""The contents of an archive, and the archive as it is opened for one download."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.archive import Archive, Member
from common.errors import Conflict, Unavailable
from upload_service.content.model import Blob


class ArchiveChanged(Conflict):
    """The share has other items by now."""

    code = "archive_changed"


class ContentUnavailable(Unavailable):
    """A content of the archive cannot be read at the moment."""

    code = "content_unavailable"


@dataclass(frozen=True, slots=True)
class ArchivedItem:
    """An item of a share, as the share service describes it. `size` in bytes."""

    id: UUID
    name: str
    size: int
    sha256: bytes
    file_id: UUID | None
    """None: it is a text, which the share service has."""


@dataclass(frozen=True, slots=True)
class ArchivedShare:
    """A share that is fetched as an archive."""

    share_id: UUID
    ticket: str
    """The right to fetch it, which the share service has given."""
    modified: datetime
    items: Sequence[ArchivedItem]

    def archive(self) -> Archive:
        return Archive([Member(item.name, item.size, item.sha256) for item in self.items], self.modified)


@dataclass(frozen=True, slots=True)
class KnownBlob:
    """A blob and its CRC-32; None: it was never computed."""

    blob: Blob
    crc: int | None


@dataclass(frozen=True, slots=True)
class OpenedArchive:
    """An archive whose contents are known."""

    share: ArchivedShare
    archive: Archive
    blobs: Sequence[Blob | None]
    """The content of each item; None: it is a text."""
    crcs: list[int | None]
    """The CRC-32 of each entry, as far as it is known."""
