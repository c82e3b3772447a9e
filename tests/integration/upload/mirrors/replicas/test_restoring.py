"""Content that the store lost comes back from a mirror that has a verified copy."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from common.store import ObjectInfo, ObjectMissing, ObjectStore
from common.store.folder import FolderStore
from tests.conftest import Engines
from tests.integration.upload.mirrors.mirror_servers import MirrorServer, fs
from tests.integration.upload.mirrors.mirrored import Mirrored
from tests.stores import key_at, opened_store
from upload_service.content import files
from upload_service.content.model import Blob
from upload_service.mirrors import restoring
from upload_service.mirrors.failover import NoReplica, find_blob
from upload_service.mirrors.failures import ReplicaDamaged

KINDS = {"fs": fs}
CONTENT = os.urandom(3_000_000)


@pytest.fixture(params=["s3", "folder"])
async def store(request: pytest.FixtureRequest, engines: Engines, tmp_path: Path) -> AsyncGenerator[ObjectStore]:
    async with opened_store(request.param, engines, tmp_path) as store:
        yield store


@pytest.fixture
async def blob(system: Mirrored, server: MirrorServer) -> Blob:
    """One that the store has, and a mirror."""
    file = await system.upload(CONTENT, await system.mirror(server))
    await system.work()
    assert file.blob_id
    return await find_blob(system.context, file.blob_id)


async def content_of(store: ObjectStore, blob: Blob) -> bytes:
    return b"".join([block async for block in store.read(blob.object_key)])


async def test_lost_content_is_restored(system: Mirrored, store: ObjectStore, blob: Blob) -> None:
    await restoring.restore_soon(system.context, blob)
    assert system.queue.restorations == []
    await store.delete(blob.object_key)
    await restoring.restore_soon(system.context, blob)
    assert system.queue.restorations == [blob.id]
    await restoring.restore_blob(system.context, blob.id)
    assert await content_of(store, blob) == CONTENT
    await restoring.restore_blob(system.context, blob.id)


async def test_a_copy_that_is_damaged_too_does_not_come_back(
    system: Mirrored, store: ObjectStore, blob: Blob, server: MirrorServer
) -> None:
    await store.delete(blob.object_key)
    for path in server.stored():
        server.flip(path)
    with pytest.raises((NoReplica, ReplicaDamaged)):
        await restoring.restore_blob(system.context, blob.id)
    with pytest.raises(ObjectMissing):
        await content_of(store, blob)


@pytest.mark.parametrize("store", ["folder"], indirect=True)
async def test_a_download_of_truncated_content_names_the_mirror_and_not_the_damaged_file(
    system: Mirrored, store: FolderStore, blob: Blob
) -> None:
    rows = await system.ask("select id from file where blob_id = %s", blob.id)
    os.truncate(store._layout.object(blob.object_key), 5)
    download = await files.open_download(system.context, rows[0][0], "GET")
    assert download.stored_at.fallback
    assert await store.stat(key_at(download.stored_at.path)) is None
    await restoring.restore_blob(system.context, blob.id)
    assert await store.stat(blob.object_key) == ObjectInfo(len(CONTENT))
