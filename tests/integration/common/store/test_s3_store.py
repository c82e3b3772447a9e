"""The S3 store's own promises: S3's limits, and signed paths for the gateway."""

import os
from collections.abc import Iterable, Iterator
from typing import Any, cast

import httpx
import pytest
from minio.deleteobjects import DeleteError, DeleteObject
from minio.error import S3Error

from common.store import BodyLength, PartMismatch, StoredPart, StoreUnavailable, UploadMissing
from common.store.limits import GIB, MAX_PARTS, MIB, MIN_PART_SIZE, TIB, StoreLimit
from common.store.s3 import S3Store
from tests.engines import StoreAddress
from tests.integration.common.store.stores import Source, blocks


@pytest.mark.parametrize(
    "parts",
    [
        [StoredPart(1, MIN_PART_SIZE - 1, "e"), StoredPart(2, 1, "e")],
        [StoredPart(number + 1, MIN_PART_SIZE, "e") for number in range(MAX_PARTS + 1)],
        [StoredPart(number + 1, 5 * GIB, "e") for number in range(TIB // GIB + 1)],
        [],
    ],
)
async def test_parts_that_s3_would_refuse_are_refused_here(s3: S3Store, parts: list[StoredPart]) -> None:
    with pytest.raises(StoreLimit):
        await s3.complete_multipart("key", "any", parts)


@pytest.mark.parametrize(("number", "size"), [(0, 1), (MAX_PARTS + 1, 1), (1, 5 * GIB + 1)])
async def test_a_part_that_s3_would_refuse_is_refused_here(s3: S3Store, number: int, size: int) -> None:
    with pytest.raises(StoreLimit):
        await s3.put_part("key", "any", number, blocks(b""), size)


async def test_a_part_that_was_replaced_is_not_taken_for_the_new_one(s3: S3Store) -> None:
    upload_id = await s3.create_multipart("key")
    first = await s3.put_part("key", upload_id, 1, blocks(b"first"), 5)
    await s3.put_part("key", upload_id, 1, blocks(b"again"), 5)
    with pytest.raises(PartMismatch):
        await s3.complete_multipart("key", upload_id, [first])


async def test_a_signed_path_serves_ranges_to_whoever_has_it(s3: S3Store, address: StoreAddress) -> None:
    await s3.put("key", blocks(b"0123456789"), 10)
    url = address.endpoint + s3.gateway_path("GET", "key")
    async with httpx.AsyncClient() as client:
        answer = await client.get(url, headers={"Range": "bytes=2-4"})
        assert (answer.status_code, answer.content) == (206, b"234")
        assert (await client.get(url.replace("X-Amz-Signature=", "X-Amz-Signature=0"))).status_code == 403
        assert (await client.put(url, content=b"overwritten")).status_code == 403
        assert (await client.head(address.endpoint + s3.gateway_path("HEAD", "key"))).status_code == 200


@pytest.mark.parametrize("certain_share", [0, 1])
async def test_a_multipart_upload_is_told_before_its_first_part(s3: S3Store, certain_share: int) -> None:
    uploads: list[str] = []

    async def on_multipart(upload_id: str) -> None:
        uploads.append(upload_id)

    for size in (5 * MIB - 1, 5 * MIB):
        source = Source(os.urandom(size), size * certain_share)
        await s3.write_stream("key", source, on_multipart=on_multipart)
    assert len(uploads) == 1


async def test_a_stream_that_promised_too_much_leaves_nothing(s3: S3Store) -> None:
    uploads: list[str] = []

    async def on_multipart(upload_id: str) -> None:
        uploads.append(upload_id)

    with pytest.raises(BodyLength):
        await s3.write_stream("key", Source(bytes(6 * MIB), 8 * MIB), on_multipart=on_multipart)
    assert await s3.stat("key") is None
    with pytest.raises(UploadMissing):
        await s3.put_part("key", uploads[0], 1, blocks(b""), 0)


async def test_a_store_that_is_not_there_is_unavailable() -> None:
    store = S3Store("http://127.0.0.1:9", region="us-east-1", bucket="none", access_key="a", secret_key="b" * 8)
    await store.open()
    attempts = (
        *(store.stat("key"), store.ready(), store.prepare(), store.put("key", blocks(b"a"), 1)),
        *(store.delete("key"), store.delete_many(["key"])),
    )
    for attempt in attempts:
        with pytest.raises(StoreUnavailable):
            await attempt
    await store.close()


class Removing:
    """An SDK whose server knows no request that removes many objects, or refuses to remove some."""

    def __init__(self, *errors: str, fails: str = "") -> None:
        self._errors, self._fails = errors, fails

    def remove_objects(self, _bucket: str, keys: Iterable[DeleteObject]) -> Iterator[DeleteError]:
        if self._fails:
            raise S3Error(cast("Any", None), self._fails, "", "", "", "")
        return (DeleteError(code, "", str(key), "") for key, code in zip(keys, self._errors, strict=False))


async def test_a_server_that_removes_objects_only_one_by_one_is_asked_so(
    s3: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await s3.put("key", blocks(b"a"), 1)
    with monkeypatch.context() as changed:
        changed.setattr(s3._sdk, "remove_objects", Removing(fails="NotImplemented").remove_objects)  # pyright: ignore[reportPrivateUsage]
        await s3.delete_many(["key", "none"])
    assert await s3.stat("key") is None


@pytest.mark.parametrize("sdk", [Removing("NoSuchKey", "InternalError"), Removing(fails="SlowDown")])
async def test_objects_that_a_server_does_not_remove_are_told(
    s3: S3Store, monkeypatch: pytest.MonkeyPatch, sdk: Removing
) -> None:
    monkeypatch.setattr(s3._sdk, "remove_objects", sdk.remove_objects)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(StoreUnavailable):
        await s3.delete_many(["key", "other"])
