"""File Uploader, read from its folder: `dataBase.db`, and files in `uploads`.

Links stay. Its accounts, and the keys by which a file can be deleted, are left: passwords and keys are made otherwise
here, so the files belong to nobody and an administrator removes them.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.expiry import MAX_USES, NEVER, Expiry
from deploy.importing import sqlite
from deploy.importing.model import Foreign, LocalFiles, Unreadable

DATABASE = "dataBase.db"
COLUMNS = ("url", "filename", "craeted_at", "ext", "user_filename", "uses_number", "max_uses")


class FileUploader:
    """One File Uploader."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds its database. Raises `Unreadable`."""
        self._database = folder / DATABASE
        if not self._database.is_file():
            raise Unreadable(f"there is no {DATABASE} in {folder}")
        self._uploads = folder / "uploads"
        self.contents = LocalFiles(self._uploads)
        self.ended = 0

    def shares(self) -> Iterator[Foreign]:
        self.ended = 0
        # Files of older versions have no limit of uses.
        for values in sqlite.rows(self._database, "file", COLUMNS):
            expiry = _expiry(values)
            if expiry is None:
                self.ended += 1
            else:
                yield self._share(values, expiry)

    def _share(self, values: Mapping[str, Any], expiry: Expiry) -> Foreign:
        url, name = str(values["url"]), str(values["filename"])
        try:
            # The size that its database holds is rounded, and a text.
            size = (self._uploads / name).stat().st_size
        except OSError:
            size = 0
        return Foreign(
            origin=f"fileuploader:{url}",
            kind="link",
            code=url,
            name=str(values["user_filename"] or name),
            size=size,
            text=None,
            path=name,
            expiry=expiry,
            created_at=_moment(values["craeted_at"]),
            used_count=int(values["uses_number"] or 0),
        )


def _expiry(values: Mapping[str, Any]) -> Expiry | None:
    """The end of a file; None: it has ended."""
    most = int(values["max_uses"] or 0)
    if not most:
        return NEVER
    left = most - int(values["uses_number"] or 0)
    return Expiry(None, min(left, MAX_USES)) if left > 0 else None


def _moment(seconds: object) -> datetime:
    try:
        return datetime.fromtimestamp(float(str(seconds)), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.now(UTC)
