"""FileCodeBox, read from its folder: `filecodebox.db`, and files there, on an S3 server or on a WebDAV server.

Its server may go on while it is read. What it had not finished, its settings and its administrator's password are left.
"""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from common.expiry import MAX_USES, NEVER, Expiry
from deploy.importing import sqlite
from deploy.importing.model import ContentLost, Contents, Foreign, LocalFiles, Unreadable
from upload_service.mirrors.drivers import Driver, MirrorError, OptionsInvalid, Place, ReplicaLost, Rules, open_driver

DATABASE = "filecodebox.db"
COLUMNS = (
    *("id", "code", "prefix", "suffix", "uuid_file_name", "file_path", "size", "text"),
    *("expired_at", "expired_count", "used_count", "created_at"),
)
TEXT_NAME = "Text"


class FileCodeBox:
    """One FileCodeBox."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds its database, or is the one above. Raises `Unreadable`."""
        found = [path for path in (folder / DATABASE, folder / "data" / DATABASE) if path.is_file()]
        if not found:
            raise Unreadable(f"there is no {DATABASE} in {folder}")
        self._database = found[0]
        self.ended = 0
        try:
            with closing(sqlite.opened(self._database)) as database:
                _has_columns(database)
                self.contents = _contents(self._database.parent, _settings(database))
        except sqlite3.Error as error:
            raise Unreadable(f"{self._database}: {error}") from None

    def shares(self) -> Iterator[Foreign]:
        now = datetime.now(UTC)
        self.ended = 0
        for values in sqlite.rows(self._database, "filecodes", COLUMNS):
            expiry = _expiry(values)
            if expiry is None or (expiry.at is not None and expiry.at <= now):
                self.ended += 1
            else:
                yield _share(values, expiry)


def _has_columns(database: sqlite3.Connection) -> None:
    known = sqlite.columns_of(database, "filecodes")
    if missing := sorted(set(COLUMNS) - known):
        raise Unreadable(f"{DATABASE} is of no version that is known here: filecodes has no {missing[0]}")


def _settings(database: sqlite3.Connection) -> Mapping[str, Any]:
    try:
        row = database.execute("select value from keyvalue where key = 'settings'").fetchone()
        found: Any = json.loads(row[0]) if row else {}
    except (sqlite3.Error, ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _expiry(values: Mapping[str, Any]) -> Expiry | None:
    """The end of a share; None: it has ended. A share with a count that is not negative ends by that alone."""
    left = values["expired_count"]
    if isinstance(left, int) and left >= 0:
        return Expiry(None, min(left, MAX_USES)) if left else None
    if not values["expired_at"]:
        return NEVER
    return Expiry(_moment(values["expired_at"]), None)


def _moment(text: object) -> datetime:
    """A time as SQLite holds it: text, with an offset or in UTC."""
    try:
        found = datetime.fromisoformat(str(text))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.now(UTC)


def _share(values: Mapping[str, Any], expiry: Expiry) -> Foreign:
    text = values["text"]
    name = f"{values['prefix'] or ''}{values['suffix'] or ''}"
    return Foreign(
        origin=f"filecodebox:{values['id']}:{values['created_at']}",
        kind="code",
        code=str(values["code"]),
        name=TEXT_NAME if text is not None else name,
        size=int(values["size"] or 0),
        text=None if text is None else str(text).replace("\0", ""),
        path=f"{values['file_path'] or ''}/{values['uuid_file_name'] or ''}",
        expiry=expiry,
        created_at=_moment(values["created_at"]),
        used_count=max(0, int(values["used_count"] or 0)),
    )


def _contents(folder: Path, settings: Mapping[str, Any]) -> Contents:
    match settings.get("file_storage", "local"):
        case "local":
            return LocalFiles(folder)
        case "s3":
            options = {
                "bucket": settings.get("s3_bucket_name"),
                "endpoint": settings.get("s3_endpoint_url") or f"https://{settings.get('s3_hostname')}",
                "region": settings.get("s3_region_name") or "auto",
                "access_key_id": settings.get("s3_access_key_id"),
                "secret_access_key": settings.get("s3_secret_access_key"),
            }
            return Elsewhere("s3", options, ("",))
        case "webdav":
            options = {
                "endpoint": settings.get("webdav_url"),
                "username": settings.get("webdav_username"),
                "password": settings.get("webdav_password"),
            }
            root = str(settings.get("webdav_root_path") or "").strip("/")
            # Its versions differ in whether they put files below that folder.
            return Elsewhere("webdav", options, ("", f"{root}/") if root else ("",))
        case other:
            raise Unreadable(f"its files are in a storage that cannot be read here: {other!r}")


class Elsewhere:
    """Files on a server, read by the driver of mirrors of this kind."""

    def __init__(self, kind: str, options: Mapping[str, Any], roots: tuple[str, ...]) -> None:
        given = {name: str(value) for name, value in options.items() if value}
        try:
            self._driver: Driver = open_driver(kind, given, Rules())
        except OptionsInvalid as error:
            raise Unreadable(f"its settings of {kind}: {error.message}") from None
        self._roots = roots

    async def read(self, path: str) -> AsyncIterator[bytes]:
        for root in self._roots:
            is_begun = False
            try:
                async for block in self._driver.read(Place(root + path.lstrip("/"))):
                    is_begun = True
                    yield block
            except ReplicaLost as error:
                if is_begun or root == self._roots[-1]:
                    raise ContentLost(f"{path}: {error.message}") from None
                continue
            except MirrorError as error:
                raise ContentLost(f"{path}: {error.message}") from None
            return

    async def close(self) -> None:
        await self._driver.close()
