"""A power failure, simulated: only what was synced is there afterwards, and of a folder only the names it had then."""

import os
import stat
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from common.store import UploadMissing
from common.store.folder import FolderStore
from tests.integration.common.store.folder_process import Body, content_of_key, write_object
from tests.integration.common.store.stores import blocks, content_of

WAYS = ("put", "stream", "parts", "join")


class Synced:
    """The certain state of the disk: contents of files and names in folders when they were synced last."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._contents: dict[int, bytes] = {}
        self._names: dict[int, dict[str, tuple[int, bool]]] = {}
        self._one_at_a_time = threading.Lock()
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._note)

    def _note(self, fd: int) -> None:
        # The parts of a file are synced by several threads, and an earlier look must not replace a later one.
        with self._one_at_a_time:
            self._look(fd)

    def _look(self, fd: int) -> None:
        found, path = os.fstat(fd), Path(f"/proc/self/fd/{fd}")
        if stat.S_ISDIR(found.st_mode):
            self._names[found.st_ino] = {
                each.name: (each.lstat().st_ino, each.is_dir()) for each in path.iterdir() if os.path.lexists(each)
            }
        else:
            self._contents[found.st_ino] = path.read_bytes()

    def restore(self, root: Path, to: Path) -> None:
        """Write what is left of a folder after the failure to another one."""
        to.mkdir(0o700)
        self._restore(root.stat().st_ino, to)

    def _restore(self, number: int, to: Path) -> None:
        for name, (inode, is_folder) in self._names.get(number, {}).items():
            if is_folder:
                (to / name).mkdir(0o700)
                self._restore(inode, to / name)
            else:
                (to / name).write_bytes(self._contents.get(inode, b""))


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Synced:
    return Synced(monkeypatch)


@pytest.fixture
async def storing(synced: Synced, tmp_path: Path) -> AsyncGenerator[FolderStore]:
    store = FolderStore(tmp_path / "before")
    await store.open()
    await store.prepare()
    yield store
    await store.close()


async def after_failure(synced: Synced, store: FolderStore, to: Path) -> FolderStore:
    synced.restore(store._layout.root, to)
    restored = FolderStore(to)
    await restored.open()
    await restored.prepare()
    return restored


@pytest.mark.parametrize("way", WAYS)
async def test_what_is_acknowledged_survives(synced: Synced, storing: FolderStore, way: str, tmp_path: Path) -> None:
    keys = [f"blobs/{way}{number}" for number in range(10)]
    for key in keys:
        await write_object(storing, key, way)
    restored = await after_failure(synced, storing, tmp_path / "after")
    for key in keys:
        assert await content_of(restored, key) == content_of_key(key)
    await restored.close()


async def test_parts_that_are_acknowledged_survive_and_the_upload_goes_on(
    synced: Synced, storing: FolderStore, tmp_path: Path
) -> None:
    upload_id = await storing.create_multipart("key")
    second = await storing.put_part("key", upload_id, 2, blocks(b"second"), 6, offset=5)

    async def breaks() -> AsyncGenerator[bytes]:
        yield b"fi"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await storing.put_part("key", upload_id, 1, breaks(), 5)
    restored = await after_failure(synced, storing, tmp_path / "after")
    first = await restored.put_part("key", upload_id, 1, blocks(b"first"), 5)
    await restored.complete_multipart("key", upload_id, [first, second])
    assert await content_of(restored, "key") == b"firstsecond"
    await restored.close()


async def test_another_process_may_just_have_made_the_folder(
    synced: Synced, storing: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is there is not yet a folder that survives."""
    place = storing._layout.object("key")
    place.parent.mkdir(parents=True)
    await storing.put("key", blocks(b"content"), 7)
    restored = await after_failure(synced, storing, tmp_path / "after")
    assert await content_of(restored, "key") == b"content"
    await restored.close()


async def test_without_syncing_a_failure_may_take_what_was_acknowledged(synced: Synced, tmp_path: Path) -> None:
    """The simulation notices what is not synced."""
    store = FolderStore(tmp_path / "before")
    await store.open()
    await store.prepare()
    store._disk.synced = False
    upload_id = await store.create_multipart("other")
    await store.put("key", Body(b"content"), 7)
    restored = await after_failure(synced, store, tmp_path / "after")
    assert await restored.stat("key") is None
    with pytest.raises(UploadMissing):
        await restored.put_part("other", upload_id, 1, blocks(b"a"), 1)
    await restored.close()
    await store.close()
