"""The promises of the store module, on any S3 server.

Runs against the tests' own engine and, when `WAYSTATION_TEST_S3_ENDPOINT` (with `…_ACCESS_KEY`, `…_SECRET_KEY`) names
one, against that server too: a real MinIO, its successor, or any other.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, AsyncIterator

import httpx
import pytest

from common.store import (
    BodyLength,
    ObjectMissing,
    ObjectStore,
    PartMismatch,
    StoredPart,
    StoreUnavailable,
    UploadMissing,
    write_stream,
)
from common.store.limits import GIB, MAX_PARTS, MIB, MIN_PART_SIZE, TIB, StoreLimit
from tests.conftest import Engines
from tests.engines import StoreAddress

EXTERNAL = "WAYSTATION_TEST_S3_ENDPOINT"
KINDS = ["engine", *(["external"] if EXTERNAL in os.environ else [])]


def address_of(kind: str, engines: Engines) -> StoreAddress:
    if kind == "engine":
        return engines.store
    prefix = "WAYSTATION_TEST_S3"
    return StoreAddress(os.environ[EXTERNAL], os.environ[f"{prefix}_ACCESS_KEY"], os.environ[f"{prefix}_SECRET_KEY"])


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, engines: Engines) -> StoreAddress:
    return address_of(request.param, engines)


@pytest.fixture
async def store(address: StoreAddress) -> AsyncGenerator[ObjectStore]:
    bucket = f"conformance-{secrets.token_hex(6)}"
    store = ObjectStore(
        address.endpoint,
        region="us-east-1",
        bucket=bucket,
        access_key=address.access_key,
        secret_key=address.secret_key,
    )
    await store.open()
    await store.ensure_bucket()
    await store.ensure_bucket()
    yield store
    await store.close()


async def blocks(content: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def content_of(store: ObjectStore, key: str) -> bytes:
    return b"".join([block async for block in store.read(key)])


@pytest.mark.parametrize("size", [0, 1, 65536, 3 * MIB + 1])
async def test_what_is_put_is_read_back(store: ObjectStore, size: int) -> None:
    content = os.urandom(size)
    await store.put("key", blocks(content), size)
    assert await content_of(store, "key") == content
    info = await store.stat("key")
    assert info
    assert info.size == size


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


@pytest.mark.parametrize("sent", [9, 11, 0])
async def test_a_body_of_another_length_than_announced_writes_nothing(store: ObjectStore, sent: int) -> None:
    with pytest.raises(BodyLength):
        await store.put("key", blocks(bytes(sent), 3), 10)
    assert await store.stat("key") is None


async def test_a_source_that_fails_writes_nothing_and_says_why(store: ObjectStore) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield bytes(65536)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.put("key", failing(), 10 * MIB)
    assert await store.stat("key") is None


async def test_parts_in_any_order_become_one_object(store: ObjectStore) -> None:
    content = os.urandom(2 * MIN_PART_SIZE + 17)
    upload_id = await store.create_multipart("key")

    async def put(number: int) -> StoredPart:
        piece = content[(number - 1) * MIN_PART_SIZE : number * MIN_PART_SIZE]
        return await store.put_part("key", upload_id, number, blocks(piece), len(piece))

    stored = await asyncio.gather(put(3), put(1), put(2))
    assert await store.stat("key") is None
    await store.complete_multipart("key", upload_id, sorted(stored, key=lambda part: part.number))
    assert await content_of(store, "key") == content


async def test_a_part_sent_again_replaces_the_first(store: ObjectStore) -> None:
    upload_id = await store.create_multipart("key")
    first = await store.put_part("key", upload_id, 1, blocks(b"first"), 5)
    second = await store.put_part("key", upload_id, 1, blocks(b"second"), 6)
    with pytest.raises(PartMismatch):
        await store.complete_multipart("key", upload_id, [first])
    await store.complete_multipart("key", upload_id, [second])
    assert await content_of(store, "key") == b"second"


async def test_a_part_that_broke_off_is_not_there(store: ObjectStore) -> None:
    upload_id = await store.create_multipart("key")
    with pytest.raises(BodyLength):
        await store.put_part("key", upload_id, 1, blocks(bytes(100)), MIN_PART_SIZE)
    # Servers word it differently: no such part, or nothing at all in this upload.
    with pytest.raises((PartMismatch, UploadMissing)):
        await store.complete_multipart("key", upload_id, [StoredPart(1, MIN_PART_SIZE, secrets.token_hex(16))])


async def test_an_aborted_upload_is_gone(store: ObjectStore) -> None:
    upload_id = await store.create_multipart("key")
    part = await store.put_part("key", upload_id, 1, blocks(b"content"), 7)
    await store.abort_multipart("key", upload_id)
    await store.abort_multipart("key", upload_id)
    with pytest.raises(UploadMissing):
        await store.put_part("key", upload_id, 2, blocks(b"content"), 7)
    with pytest.raises(UploadMissing):
        await store.complete_multipart("key", upload_id, [part])


@pytest.mark.parametrize(
    "parts",
    [
        [StoredPart(1, MIN_PART_SIZE - 1, "e"), StoredPart(2, 1, "e")],
        [StoredPart(number + 1, MIN_PART_SIZE, "e") for number in range(MAX_PARTS + 1)],
        [StoredPart(number + 1, 5 * GIB, "e") for number in range(TIB // GIB + 1)],
        [],
    ],
)
async def test_parts_that_s3_would_refuse_are_refused_here(store: ObjectStore, parts: list[StoredPart]) -> None:
    with pytest.raises(StoreLimit):
        await store.complete_multipart("key", "any", parts)


@pytest.mark.parametrize(("number", "size"), [(0, 1), (MAX_PARTS + 1, 1), (1, 5 * GIB + 1)])
async def test_a_part_that_s3_would_refuse_is_refused_here(store: ObjectStore, number: int, size: int) -> None:
    with pytest.raises(StoreLimit):
        await store.put_part("key", "any", number, blocks(b""), size)


async def test_a_signed_path_serves_ranges_to_whoever_has_it(store: ObjectStore, address: StoreAddress) -> None:
    await store.put("key", blocks(b"0123456789"), 10)
    url = address.endpoint + store.signed_path("GET", "key")
    async with httpx.AsyncClient() as client:
        answer = await client.get(url, headers={"Range": "bytes=2-4"})
        assert (answer.status_code, answer.content) == (206, b"234")
        assert (await client.get(url.replace("X-Amz-Signature=", "X-Amz-Signature=0"))).status_code == 403
        assert (await client.put(url, content=b"overwritten")).status_code == 403
        assert (await client.head(address.endpoint + store.signed_path("HEAD", "key"))).status_code == 200


class Source:
    """A source that is certain of `certain` bytes from its start."""

    def __init__(self, content: bytes, certain: int) -> None:
        self._content, self._certain = content, certain

    def certain(self) -> int:
        return max(0, self._certain)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in blocks(self._content, 100_000):
            self._certain -= len(block)
            yield block


@pytest.mark.parametrize("certain_share", [0, 0.5, 0.99, 1])
@pytest.mark.parametrize("size", [0, 5 * MIB - 1, 5 * MIB, 13 * MIB + 5])
async def test_a_stream_is_written_whole_however_much_is_certain(
    store: ObjectStore, size: int, certain_share: float
) -> None:
    content = os.urandom(size)
    uploads: list[str] = []

    async def on_multipart(upload_id: str) -> None:
        uploads.append(upload_id)

    written = await write_stream(store, "key", Source(content, int(size * certain_share)), on_multipart=on_multipart)
    assert written.size == size
    assert await content_of(store, "key") == content
    assert len(uploads) == (size >= 5 * MIB)


async def test_a_stream_that_promised_too_much_leaves_nothing(store: ObjectStore) -> None:
    uploads: list[str] = []

    async def on_multipart(upload_id: str) -> None:
        uploads.append(upload_id)

    with pytest.raises(BodyLength):
        await write_stream(store, "key", Source(bytes(6 * MIB), 8 * MIB), on_multipart=on_multipart)
    assert await store.stat("key") is None
    with pytest.raises(UploadMissing):
        await store.put_part("key", uploads[0], 1, blocks(b""), 0)


async def test_a_store_that_is_not_there_is_unavailable() -> None:
    store = ObjectStore("http://127.0.0.1:9", region="us-east-1", bucket="none", access_key="a", secret_key="b" * 8)
    await store.open()
    for attempt in (store.stat("key"), store.ready(), store.ensure_bucket(), store.put("key", blocks(b"a"), 1)):
        with pytest.raises(StoreUnavailable):
            await attempt
    await store.close()
