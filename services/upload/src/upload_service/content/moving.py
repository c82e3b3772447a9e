"""Moving all blobs to another store, while nothing else of the system runs.

A blob is copied under its own key, and is in the other store only if its digest was right. So the move can be stopped
at any point and begun again: what is there already is read back instead of copied. Nothing is removed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from common import logging
from common.errors import DomainError
from common.store import ContentHasher, ObjectMissing, ObjectStore
from upload_service.content.context import Context
from upload_service.content.model import Blob
from upload_service.content.queries import blobs, verification
from upload_service.content.verification import verify_upload

BATCH = 500
AT_ONCE = 4
CLAIM_SECONDS = 1
"""How long to wait for the claim of a verifier that was killed, before looking again."""

_log = logging.get(__name__)


class SourceDamaged(DomainError):
    """The content in the store that is left is not the verified one."""

    code = "source_damaged"


@dataclass(slots=True)
class Moved:
    """The result of the move so far."""

    copied: int = 0
    were_there: int = 0
    size: int = 0
    """Bytes copied."""
    damaged: list[Blob] = field(default_factory=list[Blob])


async def settle_uploads(context: Context) -> None:
    """Verify the uploads that their senders have completed: what only the store that is left holds of them.

    Those that are still open lose the parts that were sent, and their senders are asked for them again.
    """
    while True:
        async with context.db.connection() as connection:
            waiting = await verification.unfinished_sessions(connection, BATCH)
        if not waiting:
            return
        for session_id in waiting:
            await verify_upload(context, session_id)
        async with context.db.connection() as connection:
            left = await verification.unfinished_sessions(connection, BATCH)
        if left == waiting:
            await asyncio.sleep(CLAIM_SECONDS)


async def move_blobs(context: Context, target: ObjectStore, told: Callable[[Moved, int], None]) -> Moved:
    """Copy every blob to `target`. `told` hears after each batch what was done, of how many blobs.

    Damaged blobs are listed and not copied. Raises `StorageFull` and `Unavailable`.
    """
    moved = Moved()
    async with context.db.connection() as connection:
        total = await blobs.count_ready(connection)
    after = None
    while True:
        async with context.db.connection() as connection:
            batch = await blobs.ready_blobs(connection, after, BATCH)
        if not batch:
            return moved
        waiting = iter(batch)
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(_copy_each(context, target, waiting, moved))
        after = batch[-1].id
        told(moved, total)


async def _copy_each(context: Context, target: ObjectStore, waiting: Iterator[Blob], moved: Moved) -> None:
    for blob in waiting:
        match await copy_blob(context.store, target, blob):
            case "copied":
                moved.copied += 1
                moved.size += blob.size
            case "was there":
                moved.were_there += 1
            case "damaged":
                _log.error("the content of a blob is missing or damaged", blob=blob.id.hex, key=blob.object_key)
                moved.damaged.append(blob)


async def copy_blob(source: ObjectStore, target: ObjectStore, blob: Blob) -> Literal["copied", "was there", "damaged"]:
    """Copy one blob, unless it is there with the right digest."""
    found = await target.stat(blob.object_key)
    if found is not None and found.size == blob.size:
        hasher = ContentHasher()
        await target.read_back(blob.object_key, hasher)
        if hasher.sha256 == blob.sha256:
            return "was there"
    try:
        await target.write_stream(blob.object_key, _Checked(source, blob), on_multipart=_nothing)
    except (SourceDamaged, ObjectMissing):
        return "damaged"
    return "copied"


class _Checked:
    """The content of a blob as a stream. Raises `SourceDamaged` at its end if it was not the verified content."""

    def __init__(self, store: ObjectStore, blob: Blob) -> None:
        self._store, self._blob = store, blob
        self._hasher = ContentHasher()

    def certain(self) -> int:
        return self._blob.size - self._hasher.size

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._store.read(self._blob.object_key):
            self._hasher.update(block)
            if self._hasher.size > self._blob.size:
                raise SourceDamaged
            yield block
        if self._hasher.size != self._blob.size or self._hasher.sha256 != self._blob.sha256:
            raise SourceDamaged


async def _nothing(_upload_id: str) -> None:
    return
