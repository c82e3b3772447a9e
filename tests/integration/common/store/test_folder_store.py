"""The folder store's own promises: its files, and its behaviour when the disk is not as it should be."""

import asyncio
import os
import stat
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from common.errors import StorageFull
from common.store import (
    ContentHasher,
    ObjectDamaged,
    ObjectMissing,
    PartBusy,
    PartMismatch,
    Piece,
    StoreUnavailable,
    Unfinished,
    UploadMissing,
)
from common.store.folder import FolderStore
from common.store.limits import MIB, StoreLimit
from common.store.room import Room
from tests.integration.common.store.stores import Source, blocks, content_of, no_multipart

NOW = timedelta(seconds=-1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a file system can be mounted by root only")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


async def opened(folder: Path) -> FolderStore:
    store = FolderStore(folder)
    await store.open()
    await store.prepare()
    return store


async def test_files_belong_to_this_user_alone(folder: FolderStore) -> None:
    await folder.put("blobs/key", blocks(b"content"), 7)
    place = folder._layout.objects / folder.gateway_path("GET", "blobs/key").lstrip("/")
    assert place.read_bytes() == b"content"
    assert place.name == "blobs.key"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    for above in (place.parent, place.parent.parent, folder._layout.objects, folder._layout.root):
        assert stat.S_IMODE(above.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "key", ["", "../a", "a/../b", "/a", "a//b", "a.b", "A", "a b", "a\0", "a/", "ä", "a\n", "a" * 201]
)
async def test_what_is_no_key_of_this_system_is_refused(folder: FolderStore, key: str) -> None:
    for attempt in (
        folder.put(key, blocks(b""), 0),
        folder.stat(key),
        folder.delete(key),
        folder.create_multipart(key),
    ):
        with pytest.raises(ValueError, match="not the key"):
            await attempt
    with pytest.raises(ValueError, match="not the key"):
        folder.gateway_path("GET", key)


@pytest.mark.parametrize("upload_id", ["", "../../objects", "x" * 32, "a" * 31])
async def test_what_is_no_id_of_an_upload_is_missing(folder: FolderStore, upload_id: str) -> None:
    await folder.abort_multipart("key", upload_id)
    with pytest.raises(UploadMissing):
        await folder.put_part("key", upload_id, 1, blocks(b"a"), 1)


async def test_links_are_not_followed(folder: FolderStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    await folder.put("key", blocks(b"content"), 7)
    place = folder._layout.object("key")
    place.unlink()
    place.symlink_to(secret)
    assert await folder.stat("key") is None
    with pytest.raises(ObjectMissing):
        await content_of(folder, "key")
    upload_id = await folder.create_multipart("key")
    unfinished = folder._layout.being_written("key", upload_id)
    unfinished.unlink()
    unfinished.symlink_to(secret)
    with pytest.raises(UploadMissing):
        await folder.put_part("key", upload_id, 1, blocks(b"changed"), 7)
    await folder.put("key", blocks(b"content"), 7)
    assert await content_of(folder, "key") == b"content"
    assert secret.read_bytes() == b"secret"


async def test_parts_may_be_of_any_size_and_many(folder: FolderStore) -> None:
    content = os.urandom(200)
    upload_id = await folder.create_multipart("key")
    parts = [
        await folder.put_part("key", upload_id, start + 1, blocks(content[start : start + 1]), 1, offset=start)
        for start in range(len(content))
    ]
    await folder.complete_multipart("key", upload_id, parts)
    assert await content_of(folder, "key") == content
    with pytest.raises(StoreLimit):
        await folder.put_part("key", upload_id, 1_000_001, blocks(b""), 0)


async def test_a_file_of_another_size_does_not_become_an_object(folder: FolderStore) -> None:
    upload_id = await folder.create_multipart("key")
    part = await folder.put_part("key", upload_id, 1, blocks(bytes(100)), 100)
    os.truncate(folder._layout.being_written("key", upload_id), 99)
    with pytest.raises(PartMismatch):
        await folder.complete_multipart("key", upload_id, [part])
    assert await folder.stat("key") is None


async def test_a_damaged_object_is_put_aside(folder: FolderStore) -> None:
    await folder.put("key", blocks(b"content"), 7)
    os.truncate(folder._layout.object("key"), 3)
    with pytest.raises(ObjectDamaged):
        await folder.check("key", 7)
    with pytest.raises(ObjectMissing):
        await folder.check("key", 7)
    (aside,) = folder._layout.damaged.iterdir()
    assert aside.read_bytes() == b"con"


async def test_a_folder_that_is_not_there_is_not_an_empty_store(folder: FolderStore) -> None:
    await folder.put("key", blocks(b"content"), 7)
    root = folder._layout.root
    root.rename(root.parent / "elsewhere")
    root.mkdir()
    for attempt in (
        folder.ready(),
        folder.stat("key"),
        folder.check("key", 7),
        folder.delete("key"),
        folder.read_back("key", ContentHasher()),
        folder.put("key", blocks(b"content"), 7),
        folder.create_multipart("key"),
        folder.put_part("key", "a" * 32, 1, blocks(b"a"), 1),
        folder.abort_multipart("key", "a" * 32),
    ):
        with pytest.raises(StoreUnavailable):
            await attempt
    assert list(root.iterdir()) == []


@pytest.mark.parametrize("content", [b"waystation folder store 2\n", b""])
async def test_a_folder_of_another_version_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "format").write_bytes(content)
    with pytest.raises(StoreUnavailable):
        await opened(tmp_path / "store")


async def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "meta").mkdir()
    with pytest.raises(StoreUnavailable):
        await opened(tmp_path / "store")
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["meta"]


async def test_a_full_disk_is_told_and_leaves_nothing(small_disk: Path) -> None:
    store = await opened(small_disk / "store")
    await store.put("small", blocks(bytes(MIB)), MIB)
    with pytest.raises(StorageFull):
        await store.put("large", blocks(bytes(9 * MIB)), 9 * MIB)
    with pytest.raises(StorageFull):
        await store.write_stream("large", Source(bytes(9 * MIB), 0), on_multipart=no_multipart)
    upload_id = await store.create_multipart("large")
    with pytest.raises(StorageFull):
        await store.put_part("large", upload_id, 1, blocks(bytes(9 * MIB)), 9 * MIB)
    await store.abort_multipart("large", upload_id)
    assert await store.unfinished(NOW) == []
    assert await store.stat("large") is None
    assert await content_of(store, "small") == bytes(MIB)
    await store.put("large", blocks(bytes(5 * MIB)), 5 * MIB)
    with pytest.raises(StorageFull):
        await store.join("joined", [Piece("large", 5 * MIB, None)], ContentHasher(), on_multipart=no_multipart)
    await store.close()


async def test_pieces_are_joined_only_under_a_lease_that_holds_to_the_end(folder: FolderStore) -> None:
    class Lost:
        async def hold(self, *, last: bool = False) -> None: ...

        def check(self) -> None:
            raise PartBusy

    for key, content in (("piece", b"old"), ("joined", b"new")):
        await folder.put(key, blocks(content), 3)
    with pytest.raises(PartBusy):
        await folder.join("joined", [Piece("piece", 3, None)], ContentHasher(), on_multipart=no_multipart, lease=Lost())
    assert await content_of(folder, "joined") == b"new"
    assert await folder.unfinished(NOW) == []


async def test_a_disk_that_can_only_be_read_is_unavailable_for_writing(small_disk: Path) -> None:
    store = await opened(small_disk / "store")
    await store.put("key", blocks(b"content"), 7)
    upload_id = await store.create_multipart("other")
    command = ["mount", "-o", "remount,ro", str(small_disk)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    for attempt in (
        store.put("key", blocks(b"changed"), 7),
        store.delete("key"),
        store.create_multipart("key"),
        store.put_part("other", upload_id, 1, blocks(b"a"), 1),
        store.abort_multipart("other", upload_id),
    ):
        with pytest.raises(StoreUnavailable):
            await attempt
    await store.ready()
    assert await content_of(store, "key") == b"content"
    await store.close()


@pytest.mark.parametrize("name", ["fdatasync", "fsync"])
async def test_a_sync_that_fails_acknowledges_nothing(
    folder: FolderStore, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(fd: int) -> None:
        raise OSError(5, "Input/output error")

    upload_id = await folder.create_multipart("other")
    with monkeypatch.context() as failing:
        failing.setattr(os, name, fails)
        with pytest.raises(StoreUnavailable):
            await folder.put("key", blocks(b"content"), 7)
        if name == "fdatasync":
            with pytest.raises(StoreUnavailable):
                await folder.put_part("other", upload_id, 1, blocks(b"a"), 1)
    await folder.put("key", blocks(b"content"), 7)


async def test_the_reserve_is_kept(tmp_path: Path) -> None:
    free = 20 * MIB
    store = FolderStore(tmp_path / "store", room=Room(tmp_path, 10 * MIB, lambda _: free))
    await store.open()
    await store.prepare()
    with pytest.raises(StorageFull):
        await store.put("key", blocks(b""), 11 * MIB)

    async def filling() -> AsyncIterator[bytes]:
        nonlocal free
        for _ in range(9):
            yield bytes(MIB)
            free = 10 * MIB

    with pytest.raises(StorageFull):
        await store.put("key", filling(), 9 * MIB)
    assert await store.unfinished(NOW) == []
    await store.close()


async def test_what_was_left_unfinished_is_found_after_a_while(folder: FolderStore) -> None:
    upload_id = await folder.create_multipart("staged/key/1")
    (folder._layout.unfinished / "something else").write_bytes(b"")
    assert await folder.unfinished(timedelta(minutes=1)) == []
    assert await folder.unfinished(NOW) == [Unfinished("staged/key/1", upload_id)]


async def test_no_object_costs_more_because_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects are spread over folders, and none of them is ever listed."""
    folder = FolderStore(tmp_path / "store", synced=False)
    await folder.open()
    await folder.prepare()

    def listed(*_: object) -> None:
        raise AssertionError("a folder is listed")

    for name in ("listdir", "scandir"):
        monkeypatch.setattr(os, name, listed)
    for first in range(0, 10_000, 100):
        await asyncio.gather(
            *(folder.put(f"blobs/{number:032x}", blocks(b"x"), 1) for number in range(first, first + 100))
        )
    for number in range(0, 10_000, 1000):
        assert await content_of(folder, f"blobs/{number:032x}") == b"x"
        await folder.delete(f"blobs/{number:032x}")
    monkeypatch.undo()
    counts = [sum(1 for _ in outer.rglob("blobs.*")) for outer in folder._layout.objects.iterdir()]
    assert len(counts) == 256
    assert max(counts) < 100
    await folder.close()
