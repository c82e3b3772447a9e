"""The names of files in the folder. Keys and ids are made by this system; anything else is refused."""

import hashlib
import re
import secrets
from pathlib import Path

from common.store.interface import Unfinished

_KEY = re.compile(r"[a-z0-9]+(/[a-z0-9-]+)*")
_KEY_LENGTH = 200
_ID = re.compile(r"[0-9a-f]{32}")


class Layout:
    """The paths below the root of a folder store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.format = root / "format"
        self.objects = root / "objects"
        self.unfinished = root / "unfinished"
        self.damaged = root / "damaged"

    def object(self, key: str) -> Path:
        """The path of an object's file."""
        return self.objects / place_of(key)

    def being_written(self, key: str, upload_id: str) -> Path:
        """The path of a file that is to become an object."""
        if not is_id(upload_id):
            raise ValueError("not the id of an upload")
        return self.unfinished / f"{name_of(key)}~{upload_id}"


def read_unfinished(name: str) -> Unfinished | None:
    """The upload that a file in `unfinished` belongs to; None: it is none of ours."""
    stem, _, upload_id = name.partition("~")
    key = stem.replace(".", "/")
    return Unfinished(key, upload_id) if is_id(upload_id) and _KEY.fullmatch(key) else None


def place_of(key: str) -> str:
    """The path of an object below `objects`. Ids are ordered by time, so a hash of the key spreads the files."""
    spread = hashlib.sha256(key.encode()).hexdigest()
    return f"{spread[:2]}/{spread[2:4]}/{name_of(key)}"


def name_of(key: str) -> str:
    """The name of an object's file. Different keys have different names."""
    if not _KEY.fullmatch(key) or len(key) > _KEY_LENGTH:
        raise ValueError("not the key of an object")
    return key.replace("/", ".")


def new_id() -> str:
    """An id for one attempt to write an object."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None
