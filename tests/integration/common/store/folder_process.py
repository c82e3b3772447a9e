"""A process of its own that works on a folder store, for tests that kill or stop it.

python folder_process.py FOLDER write SEED      write objects in every way, for ever; a line for each that is safe
python folder_process.py FOLDER put KEYS        put objects of these keys, separated by commas, time and again
python folder_process.py FOLDER part UPLOAD POINT
    write a part of the object `blobs/shared`, and stop (SIGSTOP) at a point: `locked` or `before`
"""

import asyncio
import hashlib
import os
import random
import signal
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from common.store import ContentHasher, PartBusy, Piece
from common.store.folder import FolderStore, files
from common.store.limits import MIB

SIZE = 100_000
"""Of the part, which is less than is gathered before it is written."""


def content_of_key(key: str) -> bytes:
    """The content that belongs to a key, of a size that belongs to it too."""
    maker = random.Random(key)
    return maker.randbytes(maker.choice([0, 1, 1000, 100_000, MIB, 3 * MIB + 17, 10 * MIB]))


class Body:
    """A content in blocks as a socket brings them."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def certain(self) -> int:
        return 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), 65536):
            yield self._content[start : start + 65536]
            await asyncio.sleep(0)


class StoppingLease:
    """A right to write whose holder is stopped before the last block leaves, for longer than the right lasts."""

    has_ended = False

    async def hold(self, *, last: bool = False) -> None:
        if last:
            self.has_ended = True
            os.kill(os.getpid(), signal.SIGSTOP)

    def check(self) -> None:
        if self.has_ended:
            raise PartBusy


async def no_multipart(_: str) -> None:
    return


async def write_object(store: FolderStore, key: str, way: str) -> None:
    """Write the content of a key, in one of the ways there are."""
    content = content_of_key(key)
    if way == "put":
        await store.put(key, Body(content), len(content))
    elif way == "stream":
        await store.write_stream(key, Body(content), on_multipart=no_multipart)
    elif way == "parts":
        await write_parts(store, key, content)
    else:
        half = len(content) // 2
        halves = [(f"{key}/a", content[:half]), (f"{key}/b", content[half:])]
        for part_key, part in halves:
            await store.put(part_key, Body(part), len(part))
        pieces = [Piece(part_key, len(part), None) for part_key, part in halves if part]
        await store.join(key, pieces, ContentHasher(), on_multipart=no_multipart)
        for part_key, _ in halves:
            await store.delete(part_key)


async def write_parts(store: FolderStore, key: str, content: bytes) -> None:
    size = max(len(content) // 3, 1)
    upload_id = await store.create_multipart(key)
    starts = range(0, max(len(content), 1), size)
    parts = [
        store.put_part(key, upload_id, number + 1, Body(part), len(part), offset=start)
        for number, start in enumerate(starts)
        for part in [content[start : start + size]]
    ]
    await store.complete_multipart(key, upload_id, await asyncio.gather(*parts))


async def write_for_ever(store: FolderStore, seed: str) -> None:
    number = 0
    while True:
        keys = [f"blobs/{hashlib.sha256(f'{seed} {number + each}'.encode()).hexdigest()[:32]}" for each in range(4)]
        ways = ("put", "stream", "parts", "join")
        await asyncio.gather(*(write_object(store, key, way) for key, way in zip(keys, ways, strict=True)))
        print("\n".join(keys), flush=True)
        number += len(keys)


async def put_again_and_again(store: FolderStore, keys: Sequence[str]) -> None:
    for _ in range(5):
        for key in keys:
            await write_object(store, key, "put")


async def write_and_stop(store: FolderStore, upload_id: str, point: str) -> None:
    write_all = files.write_all

    def stopping(fd: int, blocks: Sequence[bytes], offset: int) -> int:
        # To this thread, so that it does nothing more before it stops.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        return write_all(fd, blocks, offset)

    if point == "locked":
        files.write_all = stopping
    lease = None if point == "locked" else StoppingLease()
    try:
        await store.put_part("blobs/shared", upload_id, 1, Body(b"a" * SIZE), SIZE, lease=lease)
    except PartBusy:
        print("busy", flush=True)
    else:
        print("stored", flush=True)


async def main(folder: str, work: str, *rest: str) -> None:
    store = FolderStore(Path(folder), synced=False)
    await store.open()
    await store.prepare()
    if work == "write":
        await write_for_ever(store, rest[0])
    elif work == "put":
        await put_again_and_again(store, rest[0].split(","))
    else:
        await write_and_stop(store, rest[0], rest[1])
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
