"""A system is backed up while it runs, and made again of its backup: everything works as before, byte for byte."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.backup.folder import BackupFolder
from deploy.local import stack
from deploy.local.places import ROOT
from deploy.local.settings import SYSTEM_NAMES
from deploy.local.stack import StackFailed, StartedStack
from tests.contract.filecodebox import wire
from tests.e2e.faults import PATIENCE
from tests.e2e.mirrors import administrator, eventually

pytestmark = pytest.mark.long

PASSPHRASE = "a passphrase of nobody's"
MIB = 1024 * 1024


@dataclass(slots=True)
class Place:
    """The folders of this module."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def backups(self) -> Path:
        return self.root / "backups"

    def passphrase(self, text: str = PASSPHRASE) -> Path:
        path = self.root / "passphrase"
        path.write_text(text + "\n", encoding="utf-8")
        return path

    def begin(self, *arguments: str, data: Path | None = None, passphrase: str = PASSPHRASE) -> "subprocess.Popen[str]":
        inherited = {name: os.environ[name] for name in SYSTEM_NAMES if name in os.environ}
        act, *further = arguments
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "common.start", "deploy.backup", act, str(self.backups), *further),
                *("--passphrase-file", str(self.passphrase(passphrase))),
            ],
            cwd=ROOT,
            env={**inherited, "DATA": str(data or self.data)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, data: Path | None = None, passphrase: str = PASSPHRASE) -> tuple[int, str]:
        process = self.begin(*arguments, data=data, passphrase=passphrase)
        output, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, output

    def refused(self, *arguments: str, data: Path | None = None, passphrase: str = PASSPHRASE) -> str:
        """The one line of a refusal."""
        status, output = self.run(*arguments, data=data, passphrase=passphrase)
        assert (status, output.count("\n")) == (1, 1), output
        return output


@dataclass(slots=True)
class Kept:
    """What users know of the system."""

    files: dict[str, bytes]
    counted: str
    text: str
    headers: dict[str, str]
    room: int
    said: list[dict[str, Any]]
    copies: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("backup"))


@contextmanager
def started(data: Path, mirrors: Path) -> Generator[tuple[StartedStack, httpx.Client]]:
    environment = {"UPLOAD_COUNT": "1000", "ERROR_COUNT": "1000", "MIRROR_FOLDERS": str(mirrors)}
    with (
        stack.start(data, environment=environment) as running,
        httpx.Client(base_url=running.url, timeout=60) as client,
    ):
        yield running, client


@pytest.fixture(scope="module")
def kept(place: Place) -> Kept:
    """Fills a system, backs it up twice, and ends it."""
    (place.root / "mirror").mkdir()
    with started(place.data, place.root) as (running, client):
        kept = filled(running, client, place.root / "mirror")
        killed_in_the_middle(place)
        status, output = place.run("make")
        assert status == 0, output
        new = secrets.token_bytes(MIB)
        kept.files[wire.share_file(client, new, expire_value=2, expire_style="day")] = new
        status, output = place.run("make")
        assert (status, "1 of them new" in output) == (0, True), output
    return kept


def filled(running: StartedStack, client: httpx.Client, mirror: Path) -> Kept:
    headers = administrator(running, client)
    options = {"name": "a folder", "kind": "fs", "options": {"root": str(mirror)}, "is_default": True}
    assert client.post("/v1/mirrors", json=options, headers=headers).status_code == 201
    sent = client.post("/api/upload/private", files={"file": ("a file.bin", b"on a mirror")}, headers=headers)
    assert sent.status_code == 200, sent.text
    copies = f"/v1/files/{client.get('/v1/files', headers=headers).json()['files'][0]['id']}/mirrors"
    eventually(lambda: client.get(copies, headers=headers).json()["mirrors"][0]["state"] == "verified")
    contents = [secrets.token_bytes(size) for size in (1, 70_000, MIB, 6 * MIB)]
    files = {wire.share_file(client, content, expire_value=2, expire_style="day"): content for content in contents}
    counted = wire.share_file(client, contents[0], expire_value=2, expire_style="count")
    assert wire.download(client, counted).content == contents[0]
    room = client.post("/v1/rooms", json={"name": "a room", "lifetime_seconds": 86400}, headers=headers).json()["id"]
    for text in ("first", "second"):
        said = client.post(f"/v1/rooms/{room}/messages", json={"text": text}, headers=headers)
        assert said.status_code == 201, said.text
    messages = client.get(f"/v1/rooms/{room}/messages", headers=headers).json()["messages"]
    return Kept(files, counted, wire.share_text(client, "a text"), headers, room, messages, copies)


def killed_in_the_middle(place: Place) -> None:
    process, until = place.begin("make"), time.monotonic() + PATIENCE
    while not list(place.backups.glob("unfinished/*/auth.dump")):
        assert time.monotonic() < until
        assert process.poll() is None, process.communicate()[0]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert BackupFolder(place.backups).names() == []
    assert "holds no complete backup" in place.refused("check")


def test_everything_is_there_again(place: Place, kept: Kept) -> None:
    data = place.root / "restored"
    status, output = place.run("restore", data=data)
    assert status == 0, output
    with started(data, place.root) as (_, client):
        for code, content in kept.files.items():
            assert wire.download(client, code).content == content
        assert client.get("/share/select/", params={"code": kept.text}).text == "a text"
        # One of two uses was taken before.
        content = next(iter(kept.files.values()))
        assert wire.download(client, kept.counted).content == content
        assert client.get("/share/select/", params={"code": kept.counted}).json() == wire.ENDED
        # Nobody has to sign in again.
        assert client.get("/v1/account", headers=kept.headers).json()["name"] == "admin"
        found = client.get(f"/v1/rooms/{kept.room}/messages", headers=kept.headers).json()["messages"]
        assert found == kept.said
        said = client.post(f"/v1/rooms/{kept.room}/messages", json={"text": "third"}, headers=kept.headers)
        assert said.status_code == 201, said.text
        # The credentials of the mirror are sealed with a key that only the backup had.
        mirror = client.get(kept.copies, headers=kept.headers).json()["mirrors"][0]
        assert mirror["state"] == "verified"
        probe = client.post(f"/v1/mirrors/{mirror['mirror_id']}/probe", headers=kept.headers)
        assert (probe.status_code, probe.json().get("error")) == (200, None), probe.text
        new = secrets.token_bytes(1000)
        assert wire.download(client, wire.share_file(client, new)).content == new


def test_what_is_wrong_is_said_in_one_line(place: Place, kept: Kept) -> None:
    assert kept
    new = place.root / "new"
    assert "is not the one with which" in place.refused("restore", data=new, passphrase="another passphrase")
    assert "is not empty" in place.refused("restore", data=place.data)
    assert "no system runs" in place.refused("make")
    assert "holds no backup '20200101T000000Z'" in place.refused("restore", "--backup", "20200101T000000Z", data=new)
    assert place.run("check")[0] == 0
    folder = BackupFolder(place.backups)
    backup = folder.backup(None)
    content = folder.content(max(backup.contents(), key=lambda one: one.size).sha256)
    for path in (backup.path / "upload.dump", backup.path / "manifest.json", backup.path / "contents", content):
        with damaged(path):
            assert "damaged" in place.refused("check")
            assert path == content or "damaged" in place.refused("restore", data=new)
    assert not new.exists()
    with damaged(content):
        # Its size is right, so only reading it shows that it is another.
        status, output = place.run("restore", data=new)
        assert (status, f"the content {content.name} is not as it was" in output) == (1, True), output
    with pytest.raises(StackFailed, match="was not restored completely"):
        stack.start(new)


@contextmanager
def damaged(path: Path) -> Generator[None]:
    content = path.read_bytes()
    middle = len(content) // 2
    path.chmod(0o600)
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    try:
        yield
    finally:
        path.write_bytes(content)


def test_forgetting_old_backups_keeps_what_the_others_need(place: Place, kept: Kept) -> None:
    assert kept
    folder = BackupFolder(place.backups)
    first, last = folder.names()
    assert "--keep N" in place.refused("forget")
    status, output = place.run("forget", "--keep", "1")
    assert (status, folder.names()) == (0, [last]), output
    assert place.run("check")[0] == 0
    assert "holds no backup" in place.refused("check", "--backup", first)
    # The credentials can be had without restoring anything.
    status, output = place.run("credentials")
    assert (status, len(json.loads(output)["mirror_key"])) == (0, 64)
