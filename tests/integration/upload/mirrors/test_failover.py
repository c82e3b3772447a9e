"""`/internal/blobs`: the gateway gets content from mirrors when the store fails."""

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from common.downloads import repr_digest
from tests.conftest import Engines, MakeDatabase
from tests.integration.upload.mirrors.mirror_front import Fault, background
from tests.integration.upload.mirrors.mirror_servers import FolderContents, MirrorServer, webdav
from tests.integration.upload.mirrors.test_mirrors_api import problem, work
from tests.integration.upload.running_upload import UploadService, running_upload_service
from upload_service.mirrors import failover, tickets
from upload_service.mirrors.drivers import folder as folder_driver

CONTENT = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mirrors")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MirrorServer]:
    with background() as running, webdav(tmp_path_factory.mktemp("webdav"), running) as server:
        yield server


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines, folder: Path) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines, mirror_folders=str(folder)) as service:
        yield service


class Mirrored:
    """A file on a folder, which is read first, and on a WebDAV server."""

    def __init__(self, service: UploadService, folder: Path, server: MirrorServer, content: bytes) -> None:
        root = folder / uuid4().hex
        root.mkdir()
        self.service, self.first, self.second = service, FolderContents(root), server
        owner, administrator = service.auth.sign_up(), service.client(service.auth.administrator())
        self.ids: dict[str, int] = {}
        for kind, options in (("fs", {"root": str(root)}), ("webdav", server.options)):
            spec = {"name": uuid4().hex, "kind": kind, "options": options, "is_default": True}
            answer = administrator.post("/v1/mirrors", json=spec)
            assert answer.status_code == 201
            self.ids[kind] = answer.json()["id"]
        self.file_id = service.own_file(owner, content)
        assert self.answer()["fallback_path"] is None, "no mirror has it yet"
        work(service)
        self.prefer("fs")
        self.path = str(self.answer()["fallback_path"])
        self.there = next(iter(self.first.stored()))

    def prefer(self, kind: str) -> None:
        """Make the mirror of this kind the first to be read: the one that was checked last.

        Earlier mirrors have the content as well, because they are defaults.
        """
        self.service.ask(
            "update replica set verified_at = case when mirror_id = %s then now() else now() - interval '1 hour' end",
            self.ids[kind],
        )

    def answer(self) -> dict[str, str | None]:
        return self.service.internal("POST", f"/internal/files/{self.file_id}/download", {"method": "GET"}).json()

    def get(self, **headers: str) -> httpx.Response:
        return httpx.get(self.service.url + self.path, headers=headers)

    @property
    def blob_id(self) -> UUID:
        return UUID(self.path.rpartition("/")[2].partition("?")[0])

    def doubted(self) -> list[str]:
        """The kinds of the mirrors on which this content is due to be checked now."""
        due = "select kind from replica join mirror on mirror.id = mirror_id where due_at <= now() and blob_id = %s"
        return [kind for (kind,) in self.service.ask(due, self.blob_id)]

    def damage_first(self, change: Callable[[bytes], bytes]) -> None:
        self.first.put(self.there, change(self.first.stored()[self.there]))


@pytest.fixture(scope="module")
def both(service: UploadService, folder: Path, server: MirrorServer) -> Mirrored:
    return Mirrored(service, folder, server, CONTENT)


@pytest.fixture
def mirrored(both: Mirrored) -> Iterator[Mirrored]:
    yield both
    both.second.set_fault(None)
    both.first.put(both.there, CONTENT)
    both.service.ask("update mirror set is_enabled = true, open_until = null, failures = 0")
    both.service.ask("update replica set due_at = now() + interval '1 day'")
    both.prefer("fs")


def test_the_whole_and_its_parts_are_served(mirrored: Mirrored) -> None:
    whole, size = mirrored.get(), len(CONTENT)
    assert (whole.status_code, whole.content) == (200, CONTENT)
    assert whole.headers["repr-digest"].startswith("sha-256=:")
    for asked, start, end in (
        ("bytes=0-0", 0, 1),
        ("bytes=10-99", 10, 100),
        (f"bytes={size - 5}-", size - 5, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=-{10 * size}", 0, size),
        (f"bytes=5-{10 * size}", 5, size),
    ):
        part = mirrored.get(Range=asked)
        assert (part.status_code, part.content) == (206, CONTENT[start:end])
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert part.headers["repr-digest"] == whole.headers["repr-digest"]


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "bytes=5-2", "bytes=x-", "bytes=-", "lines=1-2", "bytes=+1-2"])
def test_what_is_not_one_range_is_answered_by_the_whole(mirrored: Mirrored, asked: str) -> None:
    answer = mirrored.get(Range=asked)
    assert (answer.status_code, answer.content) == (200, CONTENT)


@pytest.mark.parametrize("asked", [f"bytes={len(CONTENT)}-", "bytes=-0", "bytes=9999999999999999999-"])
def test_a_part_beyond_the_end_is_416_with_the_length(mirrored: Mirrored, asked: str) -> None:
    answer = mirrored.get(Range=asked)
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")


def test_a_head_request_asks_no_mirror(mirrored: Mirrored) -> None:
    mirrored.first.remove(mirrored.there)
    with mirrored.second.failing(Fault.GONE):
        answer = httpx.head(mirrored.service.url + mirrored.path)
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(CONTENT)))
    assert answer.content == b""


def test_the_next_mirror_serves_what_the_first_has_lost(mirrored: Mirrored) -> None:
    mirrored.first.remove(mirrored.there)
    assert mirrored.get().content == CONTENT
    assert mirrored.doubted() == ["fs"]
    assert mirrored.get(Range="bytes=10-19").content == CONTENT[10:20]


@pytest.mark.parametrize("kept", [0, 1, 1_500_000, len(CONTENT) - 1])
def test_the_next_mirror_goes_on_where_the_first_ends(mirrored: Mirrored, kept: int) -> None:
    mirrored.damage_first(lambda content: content[:kept])
    whole = mirrored.get()
    assert (whole.status_code, whole.content) == (200, CONTENT)
    assert mirrored.doubted() == ["fs"]
    assert mirrored.get(Range="bytes=1000000-2000000").content == CONTENT[1_000_000:2_000_001]


def test_nobody_takes_what_a_mirror_damaged_for_the_whole(mirrored: Mirrored) -> None:
    mirrored.damage_first(lambda content: bytes([content[0] ^ 1]) + content[1:])
    with pytest.raises(httpx.RemoteProtocolError):
        mirrored.get()
    # It is checked now instead of in a week; until then another one is read first.
    assert mirrored.doubted() == ["fs"]
    assert mirrored.get().content == CONTENT
    work(mirrored.service)
    mirrored.prefer("fs")
    assert mirrored.get().content == CONTENT


def test_what_a_mirror_damaged_comes_from_the_next_one_while_nobody_has_any_of_it(
    service: UploadService, folder: Path, server: MirrorServer
) -> None:
    content = os.urandom(1000)
    small = Mirrored(service, folder, server, content)
    small.damage_first(lambda content: bytes([content[0] ^ 1]) + content[1:])
    assert small.get().content == content
    assert small.doubted() == ["fs"]


def test_a_mirror_that_fails_as_nobody_expected_is_passed_over(
    mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(folder_driver.FolderDriver, "read", broken)
    assert mirrored.get().content == CONTENT
    assert mirrored.doubted() == []


def test_a_mirror_that_hangs_is_passed_over(mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "FIRST_BLOCK_SECONDS", 0.5)
    mirrored.prefer("webdav")
    with mirrored.second.failing(Fault.HANGS):
        assert mirrored.get(Range="bytes=0-9").content == CONTENT[:10]


def test_a_mirror_whose_breaker_is_open_is_asked_last(mirrored: Mirrored) -> None:
    mirrored.service.ask("update mirror set open_until = now() + interval '1 hour' where kind = 'fs'")
    mirrored.damage_first(lambda content: b"x" * len(content))
    assert mirrored.get(Range="bytes=0-9").content == CONTENT[:10]
    with mirrored.second.failing(Fault.GONE):
        assert mirrored.get(Range="bytes=0-9").content == b"x" * 10


def test_the_store_itself_serves_what_no_mirror_can(mirrored: Mirrored) -> None:
    """The gateway passes a store over for some seconds after it lost one request."""
    mirrored.first.remove(mirrored.there)
    with mirrored.second.failing(Fault.GONE):
        assert mirrored.get().content == CONTENT
        assert mirrored.get(Range="bytes=10-19").content == CONTENT[10:20]
        mirrored.service.ask("update mirror set is_enabled = false")
        part = mirrored.get(Range="bytes=-5")
        assert (part.status_code, part.content) == (206, CONTENT[-5:])
    assert mirrored.answer()["fallback_path"] is None


def test_without_a_mirror_and_the_store_it_is_503(service: UploadService, folder: Path, server: MirrorServer) -> None:
    lost = Mirrored(service, folder, server, os.urandom(1000))
    service.lose_object(lost.blob_id)
    service.ask("update mirror set is_enabled = false")
    answer = lost.get()
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    problem(lost.get(Range="bytes=0-1"), 503)
    service.ask("update mirror set is_enabled = true")
    assert lost.get().status_code == 200


def test_a_ticket_is_for_one_blob_and_a_while(mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch) -> None:
    url = mirrored.service.url
    match = re.fullmatch(r"(/internal/blobs/)([0-9a-f]{32})\?ticket=(\d+)\.([0-9a-f]{64})", mirrored.path)
    assert match
    prefix, blob, until, tag = match.groups()
    for forged in (
        f"{blob}?ticket={int(until) + 1}.{tag}",
        f"{blob}?ticket={until}.{tag[:-1]}{'0' if tag[-1] != '0' else '1'}",
        f"{blob}?ticket={until}.",
        f"{blob}?ticket={until}",
        f"{blob}?ticket=",
        f"{blob}?ticket=.{tag}",
        f"{blob}?ticket={'9' * 5000}.{tag}",
        f"{blob}?ticket=%C2%B2.{tag}",
        f"{uuid4().hex}?ticket={until}.{tag}",
    ):
        problem(httpx.get(f"{url}{prefix}{forged}"), 403)
    assert 400 <= httpx.get(f"{url}{prefix}{blob}").status_code < 500
    monkeypatch.setattr(tickets, "VALID_FOR", timedelta(seconds=-5))
    over = mirrored.answer()["fallback_path"]
    problem(httpx.get(f"{url}{over}"), 403)


def test_the_digest_is_that_of_the_file(mirrored: Mirrored) -> None:
    digest = bytes.fromhex(str(mirrored.answer()["sha256"]))
    assert mirrored.get(Range="bytes=0-1").headers["repr-digest"] == repr_digest(digest)


def test_nothing_is_served_as_nothing(service: UploadService, folder: Path, server: MirrorServer) -> None:
    mirrored = Mirrored(service, folder, server, b"")
    answer = mirrored.get()
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert mirrored.get(Range="bytes=0-").status_code == 416
