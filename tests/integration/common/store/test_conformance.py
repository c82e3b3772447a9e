"""The promises of the interface, by every store."""

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator

import pytest

from common.errors import TooLarge
from common.store import (
    BodyLength,
    ContentHasher,
    ObjectMissing,
    ObjectStore,
    PartMismatch,
    Piece,
    StoredPart,
    UploadMissing,
)
from common.store.limits import MIB, MIN_PART_SIZE
from tests.integration.common.store.stores import Source, blocks, content_of, no_multipart


class Refused(Exception):
    """The right to write is lost."""


class Lease:
    """A right to write that is refused from the `ends`-th time on that it is asked for."""

    def __init__(self, ends: int = 1_000_000) -> None:
        self.held, self.was_last, self._ends = 0, False, ends

    async def hold(self, *, last: bool = False) -> None:
        self.held += 1
        self.was_last = last
        if self.held >= self._ends:
            raise Refused

    def check(self) -> None:
        if self.held >= self._ends:
            raise Refused


@pytest.mark.parametrize("size", [0, 1, 65536, 3 * MIB + 1])
async def test_what_is_put_is_read_back(store: ObjectStore, size: int) -> None:
    content, hasher = os.urandom(size), ContentHasher()
    await store.put("key", blocks(content), size, digest=hasher.update)
    assert await content_of(store, "key") == content
    assert hasher.sha256 == hashlib.sha256(content).digest()
    info = await store.stat("key")
    assert info
    assert info.size == size
    read = ContentHasher()
    await store.read_back("key", read)
    assert read.is_of(size, hasher.sha256)
    await store.check("key", size)


@pytest.mark.parametrize(("start", "size"), [(0, 1), (3, None), (3, 65536), (3 * MIB - 1, 100), (3 * MIB, None)])
async def test_a_part_of_what_is_put_is_read_back(store: ObjectStore, start: int, size: int | None) -> None:
    content = os.urandom(3 * MIB)
    await store.put("key", blocks(content), len(content))
    read = b"".join([block async for block in store.read("key", start, size)])
    assert read == content[start : None if size is None else start + size]


async def test_an_object_can_be_replaced_and_removed(store: ObjectStore) -> None:
    await store.put("key", blocks(b"first"), 5)
    await store.put("key", blocks(b"second"), 6)
    assert await content_of(store, "key") == b"second"
    await store.delete("key")
    await store.delete("key")
    assert await store.stat("key") is None
    with pytest.raises(ObjectMissing):
        await content_of(store, "key")
    with pytest.raises(ObjectMissing):
        await store.read_back("key", ContentHasher())


async def test_many_objects_are_removed_whether_they_are_there_or_not(store: ObjectStore) -> None:
    keys = [f"some/{number}" for number in range(3)]
    for key in (*keys, "other"):
        await store.put(key, blocks(b"a"), 1)
    await store.delete_many([*keys[:2], "some/none"])
    assert [await store.stat(key) is None for key in (*keys, "other")] == [True, True, False, False]
    await store.delete_many([])


@pytest.mark.parametrize("sent", [9, 11, 0])
async def test_a_body_of_another_length_than_announced_writes_nothing(store: ObjectStore, sent: int) -> None:
    with pytest.raises(BodyLength):
        await store.put("key", blocks(bytes(sent), 3), 10)
    assert await store.stat("key") is None


async def test_a_source_that_fails_writes_nothing_and_says_why(store: ObjectStore) -> None:
    async def failing() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield bytes(65536)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.put("key", failing(), 10 * MIB)
    assert await store.stat("key") is None


@pytest.mark.parametrize("ends", [1, 3, 40])
async def test_a_writer_that_loses_its_right_writes_nothing(store: ObjectStore, ends: int) -> None:
    content = bytes(39 * 65536)
    with pytest.raises(Refused):
        await store.put("key", blocks(content), len(content), lease=Lease(ends))
    with pytest.raises(Refused):
        await store.write_stream("key", Source(content, 0), on_multipart=no_multipart, lease=Lease(min(ends, 27)))
    assert await store.stat("key") is None


async def test_the_right_to_write_is_asked_for_after_the_last_block(store: ObjectStore) -> None:
    lease = Lease()
    await store.put("key", blocks(bytes(200), 100), 200, lease=lease)
    assert (lease.held, lease.was_last) == (3, True)
    lease = Lease()
    await store.write_stream("key", Source(bytes(200), 200), on_multipart=no_multipart, lease=lease)
    assert (lease.held, lease.was_last) == (2, True)


async def test_parts_in_any_order_become_one_object(store: ObjectStore) -> None:
    content = os.urandom(2 * MIN_PART_SIZE + 17)
    upload_id = await store.create_multipart("key")
    digests = {number: ContentHasher() for number in (1, 2, 3)}

    async def put(number: int) -> StoredPart:
        start = (number - 1) * MIN_PART_SIZE
        part = content[start : start + MIN_PART_SIZE]
        digest = digests[number].update
        return await store.put_part(
            "key", upload_id, number, blocks(part), len(part), offset=start, digest=digest, lease=Lease()
        )

    stored = await asyncio.gather(put(3), put(1), put(2))
    assert await store.stat("key") is None
    await store.complete_multipart("key", upload_id, sorted(stored, key=lambda part: part.number))
    assert await content_of(store, "key") == content
    assert digests[2].sha256 == hashlib.sha256(content[MIN_PART_SIZE : 2 * MIN_PART_SIZE]).digest()


async def test_a_part_sent_again_replaces_the_first(store: ObjectStore) -> None:
    upload_id = await store.create_multipart("key")
    await store.put_part("key", upload_id, 1, blocks(b"first"), 5)
    second = await store.put_part("key", upload_id, 1, blocks(b"second"), 6)
    await store.complete_multipart("key", upload_id, [second])
    assert await content_of(store, "key") == b"second"


@pytest.mark.parametrize("sent", [100, 200, MIN_PART_SIZE + 1])
async def test_a_part_that_broke_off_is_not_there(store: ObjectStore, sent: int) -> None:
    upload_id = await store.create_multipart("key")
    with pytest.raises(BodyLength):
        await store.put_part("key", upload_id, 1, blocks(bytes(sent)), MIN_PART_SIZE)
    # Servers word it differently: no such part, or nothing at all in this upload.
    with pytest.raises((PartMismatch, UploadMissing)):
        await store.complete_multipart("key", upload_id, [StoredPart(1, MIN_PART_SIZE + 9, secrets.token_hex(16))])
    content = os.urandom(MIN_PART_SIZE)
    part = await store.put_part("key", upload_id, 1, blocks(content), MIN_PART_SIZE)
    await store.complete_multipart("key", upload_id, [part])
    assert await content_of(store, "key") == content


async def test_an_aborted_upload_is_gone(store: ObjectStore) -> None:
    upload_id = await store.create_multipart("key")
    part = await store.put_part("key", upload_id, 1, blocks(b"content"), 7)
    await store.abort_multipart("key", upload_id)
    await store.abort_multipart("key", upload_id)
    with pytest.raises(UploadMissing):
        await store.put_part("key", upload_id, 2, blocks(b"content"), 7)
    with pytest.raises(UploadMissing):
        await store.complete_multipart("key", upload_id, [part])


@pytest.mark.parametrize("certain_share", [0, 0.5, 0.99, 1])
@pytest.mark.parametrize("size", [0, 5 * MIB - 1, 5 * MIB, 13 * MIB + 5])
async def test_a_stream_is_written_whole_however_much_is_certain(
    store: ObjectStore, size: int, certain_share: float
) -> None:
    content = os.urandom(size)
    source = Source(content, int(size * certain_share))
    written = await store.write_stream("key", source, on_multipart=no_multipart, max_size=size)
    assert (written.size, written.sha256) == (size, hashlib.sha256(content).digest())
    assert await content_of(store, "key") == content


async def test_a_stream_that_is_too_long_leaves_nothing(store: ObjectStore) -> None:
    with pytest.raises(TooLarge):
        await store.write_stream("key", Source(bytes(7 * MIB), 0), on_multipart=no_multipart, max_size=7 * MIB - 1)
    assert await store.stat("key") is None


async def test_pieces_are_joined_and_hashed(store: ObjectStore) -> None:
    first, second, third = os.urandom(3 * MIB), b"second", os.urandom(5 * MIB)
    for key, content in (("a", first), ("b", second), ("c", third)):
        await store.put(key, blocks(content), len(content))
    pieces = [
        Piece("a", len(first), hashlib.sha256(first).digest()),
        Piece("b", 3, None),
        Piece("c", len(third), hashlib.sha256(third).digest()),
    ]
    hasher = ContentHasher()
    await store.join("key", pieces, hasher, on_multipart=no_multipart)
    joined = first + b"sec" + third
    assert hasher.is_of(len(joined), hashlib.sha256(joined).digest())
    assert await content_of(store, "key") == joined
    await store.join("none", [], ContentHasher(), on_multipart=no_multipart)
    assert await content_of(store, "none") == b""


async def test_pieces_that_are_not_as_they_must_be_are_not_joined(store: ObjectStore) -> None:
    await store.put("a", blocks(b"content"), 7)
    with pytest.raises(PartMismatch):
        await store.join("key", [Piece("a", 7, bytes(32))], ContentHasher(), on_multipart=no_multipart)
    first = Piece("a", 7, hashlib.sha256(b"content").digest())
    for later in (bytes(32), hashlib.sha256(b"content" * 2).digest()):
        with pytest.raises(PartMismatch):
            await store.join("key", [first, Piece("a", 7, later)], ContentHasher(), on_multipart=no_multipart)
    with pytest.raises(PartMismatch):
        await store.join("key", [Piece("a", 8, None)], ContentHasher(), on_multipart=no_multipart)
    with pytest.raises(ObjectMissing):
        await store.join("key", [Piece("none", 8, None)], ContentHasher(), on_multipart=no_multipart)
    assert await store.stat("key") is None
