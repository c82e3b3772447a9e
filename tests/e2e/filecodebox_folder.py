"""A folder as a FileCodeBox 2.5.4 leaves it: its database, with the schema of its own server, and its files."""

import json
import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

SCHEMA = """
create table "filecodes" (
    "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    "code" VARCHAR(255) NOT NULL UNIQUE,
    "prefix" VARCHAR(255) NOT NULL DEFAULT '',
    "suffix" VARCHAR(255) NOT NULL DEFAULT '',
    "uuid_file_name" VARCHAR(255),
    "file_path" VARCHAR(255),
    "size" INT NOT NULL DEFAULT 0,
    "text" TEXT,
    "expired_at" TIMESTAMP,
    "expired_count" INT NOT NULL DEFAULT 0,
    "used_count" INT NOT NULL DEFAULT 0,
    "created_at" TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "file_hash" VARCHAR(64),
    "is_chunked" INT NOT NULL DEFAULT 0,
    "upload_id" VARCHAR(36)
);
create table "keyvalue" (
    "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    "key" VARCHAR(255) NOT NULL UNIQUE,
    "value" JSON,
    "created_at" TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
"""
ZONE = timezone(timedelta(hours=8))


@dataclass(slots=True)
class Folder:
    """The folder `data` of one FileCodeBox."""

    root: Path
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """The contents by their paths in the storage, wherever that is."""

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.root / "filecodebox.db")) as database, database:
            database.executescript(SCHEMA)

    def set(self, **settings: str) -> None:
        """Store settings, as its page of settings does."""
        self._insert(
            "keyvalue", key="settings", value=json.dumps({"name": "a box", "file_storage": "local", **settings})
        )

    def share_file(self, code: str, content: bytes, name: str = "a file.bin", *, root: str = "", **values: Any) -> str:
        """Returns the path of the file in the storage. `root`: its setting `storage_path`."""
        place = f"{root}/share/data/2026/11/29/{uuid.uuid4().hex}".lstrip("/")
        stem, dot, ending = name.rpartition(".")
        prefix, suffix = (stem, dot + ending) if dot else (name, "")
        self.files[f"{place}/{name}"] = content
        self._share(code, prefix=prefix, suffix=suffix, uuid_file_name=name, file_path=place,
                    **{"size": len(content), **values})  # fmt: skip
        return f"{place}/{name}"

    def share_text(self, code: str, text: str, **values: Any) -> None:
        self._share(code, prefix="Text", size=len(text.encode()), text=text, **values)

    def put_locally(self) -> None:
        """Write the files into the folder itself."""
        for path, content in self.files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(content)

    def _share(self, code: str, **values: Any) -> None:
        usual = {"expired_at": moment(days=2), "expired_count": -1, "created_at": moment(days=-1)}
        self._insert("filecodes", code=code, **{**usual, **values})

    def _insert(self, table: str, **values: Any) -> None:
        names, marks = ", ".join(f'"{name}"' for name in values), ", ".join("?" * len(values))
        with closing(sqlite3.connect(self.root / "filecodebox.db")) as database, database:
            database.execute(f"insert into {table} ({names}) values ({marks})", list(values.values()))


def moment(**offset: float) -> str:
    """A time as its database holds it."""
    return (datetime.now(ZONE) + timedelta(**offset)).isoformat(sep=" ")
