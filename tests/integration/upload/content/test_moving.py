"""Moving all blobs from one store to another, with damage and interruptions on the way."""

import os
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from common.store import ObjectStore
from common.store.folder import FolderStore
from common.store.limits import MIB
from tests.integration.upload.content.uploads import Bench, blocks, complete, needs_a_worker, send_parts
from upload_service.content import completing, moving, sessions
from upload_service.content.model import Blob, SessionState
from upload_service.content.moving import Moved
from upload_service.content.queries import blobs

SIZES = (0, 1, 70_000, 6 * MIB + 1)


@pytest.fixture
async def target(tmp_path: Path) -> AsyncGenerator[FolderStore]:
    store = FolderStore(tmp_path / "target")
    await store.open()
    await store.prepare()
    yield store
    await store.close()


async def stored(bench: Bench) -> dict[str, bytes]:
    """Some uploaded contents, by the keys of their blobs."""
    contents = [os.urandom(size) for size in SIZES]
    for content in contents:
        await complete(bench, await send_parts(bench, content, 5 * MIB))
    by_size = {len(content): content for content in contents}
    return {blob.object_key: by_size[blob.size] for blob in await all_blobs(bench)}


async def all_blobs(bench: Bench) -> list[Blob]:
    async with bench.context.db.connection() as connection:
        return await blobs.ready_blobs(connection, None, 100)


async def move(bench: Bench, target: ObjectStore) -> Moved:
    return await moving.move_blobs(bench.context, target, lambda _moved, _total: None)


async def content_of(store: ObjectStore, key: str) -> bytes:
    return b"".join([block async for block in store.read(key)])


@needs_a_worker
async def test_every_blob_is_copied_once(bench: Bench, target: FolderStore) -> None:
    contents = await stored(bench)
    first, again = await move(bench, target), await move(bench, target)
    assert (first.copied, first.size, first.damaged) == (len(SIZES), sum(SIZES), [])
    assert (again.copied, again.were_there) == (0, len(SIZES))
    assert {key: await content_of(target, key) for key in contents} == contents


@needs_a_worker
@pytest.mark.parametrize("damage", ["gone", "changed", "too short", "too long"])
async def test_damaged_content_is_named_and_not_copied(bench: Bench, target: FolderStore, damage: str) -> None:
    contents = await stored(bench)
    key = max(contents, key=lambda key: len(contents[key]))
    content, source = contents[key], bench.context.store
    match damage:
        case "gone":
            await source.delete(key)
        case "changed":
            await source.put(key, blocks(content[:-1] + bytes([content[-1] ^ 1])), len(content))
        case "too short":
            await source.put(key, blocks(content[:-1]), len(content) - 1)
        case _:
            await source.put(key, blocks(content + b"x"), len(content) + 1)
    moved = await move(bench, target)
    assert [blob.object_key for blob in moved.damaged] == [key]
    assert moved.copied == len(SIZES) - 1
    assert await target.stat(key) is None


@needs_a_worker
async def test_what_is_wrong_in_the_other_store_is_replaced(bench: Bench, target: FolderStore) -> None:
    contents = await stored(bench)
    for key, content in contents.items():
        await target.put(key, blocks(secrets.token_bytes(len(content))), len(content))
    moved = await move(bench, target)
    # Nothing is wrong with what is empty.
    assert (moved.copied, moved.were_there) == (len(SIZES) - 1, 1)
    assert {key: await content_of(target, key) for key in contents} == contents


@needs_a_worker
async def test_what_was_completed_is_verified_before_the_store_is_left(bench: Bench) -> None:
    content = os.urandom(MIB)
    done = await send_parts(bench, content, 5 * MIB)
    unfinished = await send_parts(bench, content, 5 * MIB)
    await completing.complete_upload(bench.context, done.id)
    await moving.settle_uploads(bench.context)
    assert (await sessions.find_session(bench.context, done.id)).state is SessionState.READY
    assert (await sessions.find_session(bench.context, unfinished.id)).state is SessionState.OPEN
    assert [blob.size for blob in await all_blobs(bench)] == [MIB]
