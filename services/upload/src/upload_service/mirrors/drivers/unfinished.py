"""Temporary names, for mirrors that show a file from its first byte: it is renamed when it is whole.

Each attempt has its own name, because a server may still be storing what it received of an earlier attempt that its
sender has given up. What a killed process leaves is removed when the same path is next written or deleted, and
otherwise by a sweep, once it is old.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

FOLDER = ".unfinished"
PROBES = "probe"
"""The folder of the objects by which mirrors are tried out."""
MOST_LISTED = 10_000
"""The entries of a folder that one sweep looks at."""

_COPY = r"[0-9a-f]{32}"
_PROBE = r"[0-9]{1,19}-[0-9a-f]{16}"
# OpenDAL's random endings. One of small letters alone, such as `markdown`, is more likely to be somebody's.
_OPENDAL = r"(?![a-z]{8})[A-Za-z0-9]{8}"
_NAMES = {
    PROBES: re.compile(_PROBE),
    FOLDER: re.compile(
        # Those of `new_name`, and those of OpenDAL in a folder.
        rf"([0-9a-f]{{2}}-{_COPY}|{PROBES}-{_PROBE})\.[0-9a-f]{{16}}|({_COPY}|{_PROBE})\.{_OPENDAL}"
    ),
    # OpenDAL's FTP writes in the root.
    "": re.compile(rf"({_COPY}|{_PROBE})\.{_OPENDAL}"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that a mirror lists in a folder. `changed_at` is None if the mirror does not tell it."""

    name: str
    changed_at: datetime | None


def new_name(path: str) -> str:
    """A path below the mirror's root for one attempt to write `path`."""
    return f"{FOLDER}/{_prefix(path)}{secrets.token_hex(8)}"


def new_probe(mirror_id: int) -> str:
    """A path for the object of one probe."""
    return f"{PROBES}/{mirror_id}-{secrets.token_hex(8)}"


def is_attempt(name: str, path: str) -> bool:
    """Whether a file of this name in the folder is an attempt to write `path`."""
    return name.startswith(_prefix(path))


def is_left(folder: str, entry: Entry, before: datetime) -> bool:
    """Whether an entry of `folder` was left there: it has a name of ours, and nobody has changed it since `before`."""
    is_ours = _NAMES[folder].fullmatch(entry.name) is not None
    return is_ours and entry.changed_at is not None and entry.changed_at < before


def _prefix(path: str) -> str:
    return path.replace("/", "-") + "."
