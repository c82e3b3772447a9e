"""The store that holds the files of a data folder: a folder in it, by default, or an S3 server.

`store.json` records it. So a start with other settings is refused, instead of finding no file.
"""

import json
from pathlib import Path
from typing import Literal, cast

from deploy.local import juicefs
from deploy.local.files import write_private

Kind = Literal["folder", "s3"]

NAME = "store.json"
RESTORING = "restoring"
"""A file that is there while a backup is restored into the data folder."""
MOVE = "make store-move TO={}"


class StoreElsewhere(Exception):
    """The files are in another store than the one that the settings name, or not all of them are there."""


def folder(data: Path) -> Path:
    """The place of the folder store, and of the volume of earlier versions."""
    return data / "store"


def old_volume(data: Path) -> Path:
    """The place of a volume of an earlier version, from the moment that it is being moved."""
    return data / "store.juicefs"


def recorded(data: Path) -> Kind | None:
    """The store that holds the files; None if no start has recorded it."""
    try:
        return cast("Kind", json.loads((data / NAME).read_text(encoding="utf-8"))["store"])
    except FileNotFoundError:
        return None


def record(data: Path, kind: Kind) -> None:
    write_private(data / NAME, json.dumps({"store": kind}) + "\n")


def begin_restoring(data: Path) -> None:
    write_private(data / RESTORING, "A backup is being restored into this folder. No system can start here yet.\n")


def finish_restoring(data: Path) -> None:
    (data / RESTORING).unlink()


def has_old_volume(data: Path) -> bool:
    """Whether files of an earlier version, which kept them in a JuiceFS volume, have yet to be moved."""
    is_there = juicefs.is_volume(folder(data)) or juicefs.is_volume(old_volume(data))
    return recorded(data) is None and is_there


def check(data: Path, kind: Kind) -> None:
    """Record the store at the first start. Raises `StoreElsewhere` when the files are in another one."""
    if (data / RESTORING).exists():
        raise StoreElsewhere(f"a backup was not restored completely into {data}: remove the folder, and restore again")
    kept = recorded(data)
    if kept is None:
        if kind == "folder" and has_old_volume(data):
            raise StoreElsewhere(
                f"an earlier version keeps the files of {data} in a JuiceFS volume. To move them into plain files, "
                f"run: {MOVE.format(kind)}"
            )
        record(data, kind)
    elif kept != kind:
        wanted = "unset S3_ENDPOINT" if kept == "folder" else "set S3_ENDPOINT, S3_ACCESS_KEY and S3_SECRET_KEY"
        raise StoreElsewhere(
            f"the files of {data} are in the store {kept!r}, and the settings name {kind!r}. Either {wanted} "
            f"(or STORE), or move the files: {MOVE.format(kind)}"
        )
