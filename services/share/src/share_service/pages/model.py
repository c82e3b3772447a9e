"""Pages: what they show of a file and of its mirrors."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from share_service.shares.model import PLACES, Share

FileState = Literal["pending", "ready", "corrupt"]
MirrorState = Literal["queued", "copying", "verified", "failed"]

PLACE = PLACES["page"]
"""The start of the path of every page."""
_PRINTABLE = re.compile("[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mirror:
    """A mirror that has the file, or will have it. `bytes_done`: how much of it has been copied there."""

    id: int
    name: str
    state: MirrorState
    url: str | None
    """The URL of the file there: a web address, present only after the copy was verified."""
    bytes_done: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page. `sha256` in hex, None until the file is verified; `password_hash` None: no password."""

    share: Share
    file_state: FileState
    sha256: str | None
    password_hash: str | None
    mirrors: list[Mirror]


def download_path(slug: str, key: str | None = None) -> str:
    """The path to download a page's file; `key`: the download key that was given out for its password."""
    return f"{PLACE}/{slug}/download" + (f"?key={key}" if key else "")


def web_url(url: str | None) -> str | None:
    """The URL, if a page may link to it: http or https, with a host, in printable ASCII."""
    if url is None or not _PRINTABLE.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None
