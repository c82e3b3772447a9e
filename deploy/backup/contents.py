"""Copying contents out of the store into a folder of backups, and back. Each is compared with its digest on the way."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from common.errors import DomainError
from common.store import ContentHasher, ObjectMissing, ObjectStore
from deploy.backup.databases import Moment
from deploy.backup.errors import Damaged
from deploy.backup.folder import MIB, BackupFolder, Content, line_of, sync
from upload_service.content.queries import blobs

BATCH = 500
AT_ONCE = 4


@dataclass(slots=True)
class Copied:
    """The result so far."""

    count: int = 0
    size: int = 0
    new: int = 0
    """How many were not there before."""
    damaged: list[str] = field(default_factory=list[str])


async def list_all(held: Moment, target: Path) -> None:
    """Write the list of all contents at this moment into the file `target`."""
    after = None
    with target.open("w", encoding="ascii") as names:
        while batch := await blobs.ready_blobs(held.connections["upload"], after, BATCH):
            names.writelines(line_of(Content(blob.object_key, blob.size, blob.sha256.hex())) for blob in batch)
            after = batch[-1].id


async def save(
    listed: Iterable[Content], store: ObjectStore, folder: BackupFolder, names: TextIO, told: Callable[[Copied], None]
) -> Copied:
    """Copy what `folder` has not yet, and list in `names` what the backup needs. `told` hears now and then."""
    copied = Copied()

    async def save_one(content: Content) -> None:
        try:
            is_new = await _save(store, folder, content)
        except (Damaged, ObjectMissing):
            copied.damaged.append(content.key)
            return
        names.write(line_of(content))
        copied.count += 1
        copied.size += content.size
        copied.new += is_new
        if copied.count % BATCH == 0:
            told(copied)

    await _each(listed, save_one)
    return copied


async def _save(store: ObjectStore, folder: BackupFolder, content: Content) -> bool:
    """Returns whether it had to be copied. Raises `Damaged` or `ObjectMissing`."""
    target = folder.content(content.sha256)
    if target.exists() and target.stat().st_size == content.size:
        return False
    unfinished = folder.unfinished / secrets.token_hex(16)
    hasher = ContentHasher()
    try:
        with unfinished.open("xb") as file:
            async for block in store.read(content.key):
                hasher.update(block)
                await asyncio.to_thread(file.write, block)
            if hasher.size != content.size or hasher.sha256.hex() != content.sha256:
                raise Damaged(f"the content {content.key} is not as it was verified")
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        await asyncio.to_thread(_put, unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def _put(made: Path, target: Path) -> None:
    for folder in (target.parent.parent, target.parent):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
            sync(folder.parent)
    made.chmod(0o400)
    made.rename(target)
    sync(target.parent)


async def restore(
    contents: Iterable[Content], folder: BackupFolder, store: ObjectStore, told: Callable[[Copied], None]
) -> Copied:
    """Write the contents into the store. Raises `Damaged` for the first that is not as it was."""
    copied = Copied()

    async def restore_one(content: Content) -> None:
        source = _Checked(folder.content(content.sha256), content)
        try:
            await store.write_stream(content.key, source, on_multipart=_nothing)
        except OSError as error:
            raise Damaged(f"the content {content.sha256} cannot be read: {error.strerror}") from None
        copied.count += 1
        copied.size += content.size
        if copied.count % BATCH == 0:
            told(copied)

    await _each(contents, restore_one)
    return copied


async def _each(contents: Iterable[Content], act: Callable[[Content], Awaitable[None]]) -> None:
    """Act on each, some at a time. Raises the first error."""
    waiting = iter(contents)

    async def work(waiting: Iterator[Content]) -> None:
        for content in waiting:
            await act(content)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(work(waiting))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


class _Checked:
    """A content of a backup as a stream. Raises `NotAsKept` at its end if it is not what was kept."""

    def __init__(self, path: Path, content: Content) -> None:
        self._path, self._content = path, content
        self._hasher = ContentHasher()

    def certain(self) -> int:
        return self._content.size - self._hasher.size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._path.open("rb") as file:
            while block := await asyncio.to_thread(file.read, MIB):
                self._hasher.update(block)
                if self._hasher.size > self._content.size:
                    break
                yield block
        if self._hasher.size != self._content.size or self._hasher.sha256.hex() != self._content.sha256:
            raise NotAsKept(f"the content {self._content.sha256} is not as it was written")


class NotAsKept(DomainError):
    """A content of the backup is damaged."""

    code = "content_damaged"


async def _nothing(_upload_id: str) -> None:
    return
