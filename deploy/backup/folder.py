"""The folder that holds backups.

    contents/ab/cd/abcd…      each content once, named by its SHA-256, whichever backups need it
    backups/20261130T112400Z/ one backup: `manifest.json` lists its files with their digests, and is written last
    unfinished/               what is being written; it is removed by the next backup

A backup is written in `unfinished` and renamed when it is complete, so whatever a killed process leaves is no backup.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deploy.backup.errors import BackupError, Damaged

FORMAT = 1
MANIFEST, CREDENTIALS, MESSAGES, CONTENTS = "manifest.json", "credentials.sealed", "messages", "contents"
MIB = 1024 * 1024
_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_CONTENT = re.compile(r"([0-9a-f]{64}) ([0-9]+) ([a-z0-9/-]+)\n")


@dataclass(frozen=True, slots=True)
class Content:
    """One object of the store."""

    key: str
    size: int
    sha256: str
    """In hex."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The facts about one backup."""

    version: str
    """The version of the system that it is of."""
    created_at: str
    """The moment that it holds, which is also its name."""
    migrations: dict[str, list[str]]
    """The migrations that each database has."""
    files: dict[str, str]
    """The SHA-256 of each file of the backup, in hex."""
    count: int
    """The number of contents."""
    size: int
    """Their bytes."""
    damaged: list[str] = field(default_factory=list[str])
    """Keys of contents that the store had not, or not as they were verified."""
    format: int = FORMAT


class BackupFolder:
    """A folder of backups, locked while this process writes to it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unfinished = root / "unfinished"
        self._contents, self._backups = root / "contents", root / "backups"

    @contextmanager
    def writing(self) -> Generator[Path]:
        """A new backup's folder, for the block. Removes what a killed process left.

        Raises `BackupError` if the folder is in use, or holds something else.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = {self.unfinished.name, self._contents.name, self._backups.name, "lock", "lost+found"}
        if foreign := sorted(entry.name for entry in self.root.iterdir() if entry.name not in known):
            raise BackupError(
                f"{self.root} holds something else than backups ({foreign[0]}); name a folder of their own"
            )
        with (self.root / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupError(f"another backup is being written to {self.root}") from None
            shutil.rmtree(self.unfinished, ignore_errors=True)
            for folder in (self._contents, self._backups, self.unfinished):
                folder.mkdir(mode=0o700, exist_ok=True)
            sync(self.root)
            (self.unfinished / "backup").mkdir(mode=0o700)
            yield self.unfinished / "backup"
            shutil.rmtree(self.unfinished, ignore_errors=True)

    def publish(self, made: Path, manifest: Manifest) -> Path:
        """Make what was written in `made` a backup."""
        for name in manifest.files:
            sync(made / name)
        body = json.dumps(asdict(manifest), sort_keys=True)
        digest = hashlib.sha256(body.encode()).hexdigest()
        (made / MANIFEST).write_text(json.dumps({"sha256": digest, "backup": body}), encoding="utf-8")
        sync(made / MANIFEST)
        sync(made)
        target = self._backups / manifest.created_at
        made.rename(target)
        sync(self._backups)
        return target

    def names(self) -> list[str]:
        """The complete backups, oldest first."""
        if not self._backups.is_dir():
            return []
        return sorted(entry.name for entry in self._backups.iterdir() if _NAME.fullmatch(entry.name))

    def new_name(self) -> str:
        """The name of a backup of this moment."""
        now, known = datetime.now(UTC), self.names()
        while (name := now.strftime("%Y%m%dT%H%M%SZ")) in known:
            now += timedelta(seconds=1)
        return name

    def backup(self, name: str | None) -> "Backup":
        """The backup of this name, or the newest. Raises `BackupError`."""
        known = self.names()
        if not known:
            raise BackupError(f"{self.root} holds no complete backup")
        if name is not None and name not in known:
            raise BackupError(f"{self.root} holds no backup {name!r}; it holds {', '.join(known[-5:])}")
        return Backup(self, self._backups / (name or known[-1]))

    def content(self, sha256: str) -> Path:
        """The path of a content."""
        return self._contents / sha256[:2] / sha256[2:4] / sha256

    def forget(self, keep: int) -> tuple[int, int]:
        """Remove all backups but the last `keep` (1 or more), and contents that they do not need; the numbers of both.

        The caller is `writing`. If it is killed in the middle, a further call does the rest. Raises `Damaged` if a kept
        one cannot say for certain what it needs; then nothing is removed.
        """
        names = self.names()
        gone, kept = names[:-keep], names[-keep:]
        for name in kept:
            self.backup(name).check_list()
        for name in gone:
            # The name goes first, so that nothing incomplete has the name of a backup.
            (self._backups / name).rename(self.unfinished / name)
        needed = {content.sha256 for name in kept for content in self.backup(name).contents()}
        removed = 0
        for path in self._contents.glob("*/*/*"):
            if path.name not in needed:
                path.unlink()
                removed += 1
        return len(gone), removed


class Backup:
    """One complete backup."""

    def __init__(self, folder: BackupFolder, path: Path) -> None:
        self.folder, self.path = folder, path

    def manifest(self) -> Manifest:
        """Raises `Damaged`, and `BackupError` if a later version wrote it."""
        try:
            found: dict[str, Any] = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
            body = str(found["backup"])
            if hashlib.sha256(body.encode()).hexdigest() != found["sha256"]:
                raise ValueError
            values: dict[str, Any] = json.loads(body)
            if values["format"] != FORMAT:
                raise BackupError(f"the backup {self.path.name} is of a later version, {values['version']}")
            return Manifest(**values)
        except (OSError, ValueError, KeyError, TypeError):
            raise Damaged(f"the backup {self.path.name} is damaged: {MANIFEST} is not as it was written") from None

    def check(self) -> Manifest:
        """Compare the files with their digests, and look whether each content has its size.

        Raises `Damaged` for the first that is not as it was written.
        """
        manifest = self.manifest()
        for name in manifest.files:
            self._check_file(manifest, name)
        for content in self.contents():
            path = self.folder.content(content.sha256)
            if not path.is_file() or path.stat().st_size != content.size:
                raise Damaged(f"the backup {self.path.name} is damaged: the content {content.sha256} is not whole")
        return manifest

    def check_list(self) -> None:
        """Compare the list of contents with its digest. Raises `Damaged`."""
        self._check_file(self.manifest(), CONTENTS)

    def _check_file(self, manifest: Manifest, name: str) -> None:
        if digest_of(self.path / name) != manifest.files[name]:
            raise Damaged(f"the backup {self.path.name} is damaged: {name} is not as it was written")

    def contents(self) -> Iterator[Content]:
        """The contents that the backup needs."""
        return read_contents(self.path / CONTENTS)


def read_contents(path: Path) -> Iterator[Content]:
    """The contents in a list of `line_of` each. Raises `Damaged`."""
    with path.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            found = _CONTENT.fullmatch(line)
            if found is None:
                raise Damaged(f"the backup {path.parent.name} is damaged: {path.name} is not as it was written")
            yield Content(found[3], int(found[2]), found[1])


def line_of(content: Content) -> str:
    """The line of the list of contents that `read_contents` reads."""
    return f"{content.sha256} {content.size} {content.key}\n"


def digest_of(path: Path) -> str | None:
    """The SHA-256 of a file, in hex; None if there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def sync(path: Path) -> None:
    """Write a file, or the names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
