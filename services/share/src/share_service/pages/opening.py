"""What a page says: what its share knows, and what the upload service knows of the file and of its mirrors."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from urllib.parse import urlsplit

from common.errors import Gone, NotFound
from share_service import operations
from share_service.context import AppState
from share_service.shares.model import Share, UnknownCode

FileState = Literal["pending", "ready", "corrupt"]
MirrorState = Literal["queued", "copying", "verified", "failed"]

PLACE = "/m"
"""What the addresses of pages begin with."""
# What is being taken off a mirror, or has been, is on no page.
_SHOWN = ("queued", "copying", "verified", "failed")
_PRINTABLE = re.compile("[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mirror:
    """A mirror that has the file, or will have it. `bytes_done`: how much of it has been copied there."""

    id: int
    name: str
    state: MirrorState
    url: str | None
    """Where the file can be fetched from it: a web address, and only once the copy is verified."""
    bytes_done: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it stands. `sha256` in hex, None until the file is verified; `password_hash` None: no password."""

    share: Share
    file_state: FileState
    sha256: str | None
    password_hash: str | None
    mirrors: list[Mirror]


async def open_page(state: AppState, slug: str, now: datetime) -> Page:
    """The page of this slug. Takes nothing. Raises `UnknownCode`, `ShareEnded`, `Unavailable`."""
    async with state.database.connection() as connection:
        share = await operations.look_up(connection, slug, now, "page")
    return await page_of(state, share)


async def page_of(state: AppState, share: Share) -> Page:
    """The page of this share. Raises `UnknownCode` when its file has vanished, and `Unavailable`."""
    try:
        answer = await state.upload.call("POST", f"/internal/files/{share.file_id}/page")
    except (NotFound, Gone):
        raise UnknownCode from None
    own_hash = share.password_hash
    return Page(
        share=share,
        file_state=answer["state"],
        sha256=answer["sha256"],
        password_hash=answer["password_hash"] if own_hash is None else own_hash,
        mirrors=[_mirror(found) for found in answer["mirrors"] if found["state"] in _SHOWN],
    )


def download_path(slug: str, key: str | None = None) -> str:
    """Where a page's file is downloaded; `key`: what was given for its password."""
    return f"{PLACE}/{slug}/download" + (f"?key={key}" if key else "")


def web_url(url: str | None) -> str | None:
    """The URL, if a page may link to it: of the web, with a host, and in plain characters."""
    if url is None or not _PRINTABLE.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def _mirror(found: dict[str, object]) -> Mirror:
    state = cast("MirrorState", found["state"])
    url = cast("str | None", found["url"]) if state == "verified" else None
    return Mirror(
        id=cast("int", found["id"]),
        name=cast("str", found["name"]),
        state=state,
        url=web_url(url),
        bytes_done=cast("int", found["bytes_done"]),
    )
