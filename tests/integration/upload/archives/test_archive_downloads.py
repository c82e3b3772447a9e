"""`/internal/archives`: the bytes of archives, with an S3 server and with a folder as the store."""

import asyncio
import hashlib
import io
import os
import threading
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from common import clock
from common.archive import SUMS_NAME
from common.store import StoreUnavailable
from tests.conftest import Engines, MakeDatabase
from tests.integration.upload.mirrors.mirror_servers import FolderContents
from tests.integration.upload.mirrors.test_mirrors_api import work
from tests.integration.upload.running_upload import UploadService, running_upload_service
from upload_service.archives import checksums, sending
from upload_service.archives.model import OpenedArchive
from upload_service.archives.opening import _share, open_archive
from upload_service.archives.reading import Contents
from upload_service.archives.running import Running
from upload_service.context import Context
from upload_service.mirrors import failover

MIB = 1024 * 1024
TICKET = {"ticket": "ticket"}


@pytest.fixture(scope="module", params=["s3", "folder"])
def service(
    request: pytest.FixtureRequest,
    make_database: MakeDatabase,
    engines: Engines,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[UploadService]:
    mirrors = tmp_path_factory.mktemp("mirrors")
    changes: dict[str, Any] = {"mirror_folders": str(mirrors)}
    if request.param == "folder":
        folder = str(tmp_path_factory.mktemp("store"))
        changes |= {"store": "folder", "store_folder": folder, "store_sync": False}
    with running_upload_service(make_database, engines, **changes) as service:
        yield service


class Archived:
    """A share that is fetched as an archive."""

    def __init__(self, service: UploadService, *contents: tuple[str, bytes | str], owner: Any = None) -> None:
        self.service, self.id, self.contents = service, uuid4(), contents
        items = [self._item(name, content, owner) for name, content in contents]
        service.share.archived[str(self.id)] = {"modified": clock.now().isoformat(), "items": items}
        self.archive = _share(self.id, "", service.share.archived[str(self.id)]).archive()
        self.path = f"/internal/archives/{self.id}/{self.archive.tag.hex()}"

    def _item(self, name: str, content: bytes | str, owner: Any) -> dict[str, Any]:
        item_id, file_id = uuid4().hex, None
        if isinstance(content, str):
            self.service.share.texts[item_id] = content
        else:
            file_id = self.service.own_file(owner, content, name)
        encoded = content.encode() if isinstance(content, str) else content
        sha256 = hashlib.sha256(encoded).hexdigest()
        return {"id": item_id, "name": name, "size": len(encoded), "sha256": sha256, "file_id": file_id}

    def get(self, **headers: str) -> httpx.Response:
        return httpx.get(self.service.url + self.path, params=TICKET, headers=headers, timeout=30)

    def is_right(self, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            assert opened.testzip() is None
            found = [opened.read(name) for name in opened.namelist()]
        assert found[:-1] == [each.encode() if isinstance(each, str) else each for _, each in self.contents]

    def crcs(self) -> set[int | None]:
        files = [item["file_id"] for item in self.service.share.archived[str(self.id)]["items"]]
        found = self.service.ask("select crc32 from blob join file on blob_id = blob.id where file.id = any(%s)", files)
        return {row[0] for row in found}


@pytest.fixture
def archived(service: UploadService) -> Archived:
    contents = [("a.bin", os.urandom(3 * MIB)), ("ä.txt", "a text ☂"), ("a.bin", b""), ("b", os.urandom(10)), ("c", "")]
    return Archived(service, *contents)


def test_an_archive_has_every_item_and_its_checksums_are_kept(archived: Archived) -> None:
    assert archived.crcs() == {None}
    first = archived.get()
    assert (first.status_code, first.headers["Content-Length"]) == (200, str(archived.archive.size))
    archived.is_right(first.content)
    with zipfile.ZipFile(io.BytesIO(first.content)) as opened:
        assert opened.namelist() == ["a.bin", "ä.txt", "a (2).bin", "b", "c", SUMS_NAME]
    assert archived.crcs() == {zlib.crc32(content) for _, content in archived.contents if isinstance(content, bytes)}
    assert archived.get().content == first.content


def test_any_range_fits_the_others(archived: Archived) -> None:
    size = archived.archive.size
    cuts = [0, 20, 5 * MIB // 2, 3 * MIB + 36, size - 400, size - 22, size]
    with ThreadPoolExecutor(3) as fetching:
        ranges = [{"Range": f"bytes={start}-{stop - 1}"} for start, stop in pairwise(cuts)]
        # The last ones first: the directory needs the checksums of all contents.
        answers = list(fetching.map(lambda header: archived.get(**header), reversed(ranges)))
    assert [answer.status_code for answer in answers] == [206] * len(ranges)
    assert answers[0].headers["Content-Range"] == f"bytes {size - 22}-{size - 1}/{size}"
    archived.is_right(b"".join(answer.content for answer in reversed(answers)))
    beyond = archived.get(Range=f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    head = httpx.head(archived.service.url + archived.path, params=TICKET)
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(size), b"")


def test_a_wrong_ticket_another_archive_and_a_file_that_is_gone(archived: Archived) -> None:
    service = archived.service
    url = service.url + archived.path
    assert httpx.get(url, params={"ticket": "x"}).status_code == 404
    assert httpx.get(url).status_code == 422
    assert httpx.get(f"{service.url}/internal/archives/{uuid4()}/{'0' * 64}", params=TICKET).status_code == 404
    assert httpx.get(f"{url[:-1]}x", params=TICKET).status_code == 409
    items = service.share.archived[str(archived.id)]["items"]
    service.ask("update file set expires_at = now() where id = %s", items[0]["file_id"])
    assert archived.get().status_code == 503
    items.pop(0)
    assert archived.get().status_code == 409


def test_texts_are_asked_for_together(service: UploadService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TEXTS_AT_ONCE", 10)
    texts = ("12345", "67890", "1", "a longer text than that", "2", "3")
    archived = Archived(service, *((str(number), text) for number, text in enumerate(texts)))
    service.share.asked_texts.clear()
    archived.is_right(archived.get().content)
    asked = [len(ids) for ids in service.share.asked_texts]
    # Once for the contents; the directory needs nothing again.
    assert asked == [2, 1, 1, 2]


def test_the_smallest_pieces_are_sent_together(service: UploadService) -> None:
    archived = Archived(service, *((f"{number}.txt", "x" * 20) for number in range(500)))
    sizes: list[int] = []

    async def fetch(context: Context) -> None:
        opened = await _opened(context, archived)
        async for block in sending.send(context, opened, 0, archived.archive.size):
            sizes.append(len(block))

    service.run(fetch)
    assert sum(sizes) == archived.archive.size
    assert all(size >= sending.BLOCK for size in sizes[:-1])


async def _opened(context: Context, archived: Archived) -> OpenedArchive:
    return await open_archive(context, archived.id, archived.archive.tag.hex(), "ticket")


def stored_keys(archived: Archived) -> list[str]:
    files = [item["file_id"] for item in archived.service.share.archived[str(archived.id)]["items"]]
    return [
        row[0]
        for row in archived.service.ask(
            "select object_key from blob join file on blob_id = blob.id where file.id = any(%s)", files
        )
    ]


def test_what_the_store_does_not_give_comes_from_a_mirror(
    service: UploadService, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(service.settings.folders[0]) / uuid4().hex
    root.mkdir()
    administrator = service.client(service.auth.administrator())
    spec = {"name": uuid4().hex, "kind": "fs", "options": {"root": str(root)}, "is_default": True}
    mirror = administrator.post("/v1/mirrors", json=spec).json()["id"]
    archived = Archived(service, ("a", os.urandom(2 * MIB)), ("b", os.urandom(9)), owner=service.auth.sign_up())
    work(service)
    assert len(FolderContents(root).stored()) == 2
    administrator.patch(f"/v1/mirrors/{mirror}", json={"is_default": False})
    monkeypatch.setattr(failover, "FIRST_BLOCK_SECONDS", 0.1)
    asked: list[str] = []

    async def silence(key: str, start: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
        asked.append(key)
        await asyncio.Future[None]()
        yield b""

    async def fetch(context: Context) -> None:
        opened = await _opened(context, archived)
        object.__setattr__(context, "store", _With(context.store, silence))
        blocks = [block async for block in sending.send(context, opened, 0, archived.archive.size)]
        archived.is_right(b"".join(blocks))

    service.run(fetch)
    assert len(asked) == 1, "a store that is away is waited for once"

    async def lose(context: Context) -> None:
        for key in stored_keys(archived):
            await context.store.delete(key)

    service.run(lose)
    archived.is_right(archived.get().content)
    archived.is_right(archived.get(Range="bytes=0-1000").content + archived.get(Range="bytes=1001-").content)
    for path in FolderContents(root).stored():
        (root / path).unlink()
    assert archived.get().status_code == 503


def test_the_checksum_of_damaged_bytes_is_never_kept(service: UploadService) -> None:
    content = os.urandom(1000)
    archived = Archived(service, ("a", content))
    (key,) = stored_keys(archived)

    def put(stored: bytes) -> None:
        async def blocks() -> AsyncIterator[bytes]:
            yield stored

        service.run(lambda context: context.store.put(key, blocks(), len(stored)))

    put(content[:-1] + bytes([content[-1] ^ 1]))
    assert archived.get().status_code == 503
    assert archived.crcs() == {None}
    put(content)
    archived.is_right(archived.get().content)


class Failing:
    """A store that breaks off a read after some bytes, and the next ones at once."""

    def __init__(self, context: Context, after: int, times: int) -> None:
        self._read, self._left, self._times = context.store.read, after, times

    async def read(self, key: str, start: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
        async for block in self._read(key, start, size):
            if self._times and len(block) > self._left:
                yield block[: self._left]
                self._left, self._times = 0, self._times - 1
                raise StoreUnavailable
            self._left -= len(block)
            yield block


def test_a_store_that_fails_in_the_middle_breaks_off_what_can_be_resumed(service: UploadService) -> None:
    archived = Archived(service, ("a", os.urandom(2 * MIB)), ("b", os.urandom(9)))
    whole = archived.get().content

    async def fetch(context: Context) -> None:
        opened = await _opened(context, archived)
        working = context.store
        object.__setattr__(context, "store", _With(working, Failing(context, MIB, 10).read))
        received = bytearray()
        with pytest.raises(Exception, match="mirror"):
            async for block in sending.send(context, opened, 0, len(whole)):
                received += block
        object.__setattr__(context, "store", working)
        assert MIB - sending.BLOCK < len(received) < 2 * MIB
        # A break that is over at once is not noticed.
        object.__setattr__(context, "store", _With(working, Failing(context, MIB // 2, 1).read))
        async for block in sending.send(context, opened, len(received), len(whole)):
            received += block
        object.__setattr__(context, "store", working)
        assert received == whole

    service.run(fetch)


def test_a_checksum_is_computed_once_for_all_who_wait_and_when_they_have_gone(service: UploadService) -> None:
    archived = Archived(service, ("a", os.urandom(MIB)))

    async def compute(context: Context) -> None:
        opened = await _opened(context, archived)
        (blob,) = opened.blobs
        assert blob
        may_read, reads = asyncio.Event(), 0
        read = context.store.read

        async def held(key: str, start: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
            nonlocal reads
            reads += 1
            await may_read.wait()
            async for block in read(key, start, size):
                yield block

        object.__setattr__(context, "store", _With(context.store, held))
        waiting = [asyncio.create_task(checksums.crc_of(context, Contents(context), blob)) for _ in range(3)]
        while not reads:
            await asyncio.sleep(0)
        waiting[0].cancel()
        gone = asyncio.create_task(checksums.crc_of(context, Contents(context), blob))
        await asyncio.sleep(0)
        gone.cancel()
        may_read.set()
        right = zlib.crc32(archived.contents[0][1])  # type: ignore[arg-type]
        assert await asyncio.gather(*waiting[1:]) == [right] * 2
        assert reads == 1

    service.run(compute)
    assert archived.crcs() == {zlib.crc32(archived.contents[0][1])}  # type: ignore[arg-type]


class _With:
    """A store with another way to read."""

    def __init__(self, store: Any, read: Any) -> None:
        self._store, self.read = store, read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


async def test_computations_end_with_the_process() -> None:
    running, begun = Running(), asyncio.Event()

    async def endless() -> int:
        begun.set()
        return await asyncio.Future[int]()

    waiting = asyncio.create_task(running.result(UUID(int=1), endless))
    await begun.wait()
    await running.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_downloads_that_are_given_up_leave_nothing_running(archived: Archived) -> None:
    before = threading.active_count()
    url = archived.service.url + archived.path
    for _ in range(3):
        with httpx.stream("GET", url, params=TICKET) as answer:
            next(answer.iter_raw(1000))
    archived.is_right(archived.get().content)
    assert threading.active_count() <= before + 8
