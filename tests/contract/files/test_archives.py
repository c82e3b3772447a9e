"""Shares of several items as zip files, on the running system: through the gateway, by the programs that people use."""

import hashlib
import io
import os
import re
import shutil
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.files.items import fill, send, until_complete

MIB = 1024 * 1024
GUIDE = Path(__file__).parents[3] / "docs" / "use.md"


class Sent:
    """A share of several items, and what its archive must have."""

    def __init__(self, client: httpx.Client, contents: dict[str, bytes], **terms: Any) -> None:
        announced = [{"name": name, "size": len(content)} for name, content in contents.items()]
        self.share = send(client, *announced, {"text": "words ☂", "name": "note.txt"}, **terms)
        for item, content in zip(self.share["items"], contents.values(), strict=False):
            fill(client, item, content)
        self.code, self.path = self.share["code"], f"/v1/codes/{self.share['code']}/zip"
        self.contents = {**contents, "note.txt": "words ☂".encode()}

    def is_right(self, archive: bytes | Path) -> None:
        with zipfile.ZipFile(archive if isinstance(archive, Path) else io.BytesIO(archive)) as opened:
            found = {name: opened.read(name) for name in opened.namelist()}
        sums = found.pop("SHA256SUMS").decode()
        assert found == self.contents
        assert sums == "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in found.items())


@pytest.fixture(scope="module")
def sent(client: httpx.Client) -> Sent:
    contents = {"big.bin": os.urandom(6 * MIB), "empty": b"", "ä b.txt": b"1"}
    sent = Sent(client, contents, title="Summer / 2026")
    until_complete(client, sent.code)
    return sent


def run(folder: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def test_an_archive_is_a_download_like_every_other(client: httpx.Client, sent: Sent) -> None:
    whole = client.get(sent.path)
    sent.is_right(whole.content)
    assert whole.headers["Content-Type"] == "application/zip"
    assert int(whole.headers["Content-Length"]) == len(whole.content)
    assert "Summer - 2026.zip" in whole.headers["Content-Disposition"]
    assert "Repr-Digest" not in whole.headers
    assert whole.headers["Content-Security-Policy"].startswith("sandbox")
    assert not [name for name in whole.headers if name.lower().startswith("x-store")]
    head = client.head(sent.path)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(whole.content)))
    tag = whole.headers["ETag"]
    assert re.fullmatch('"[0-9a-f]{64}"', tag)
    assert head.headers["ETag"] == tag
    for headers, status, length in (
        ({"If-None-Match": tag}, 304, 0),
        ({"Range": "bytes=5-14"}, 206, 10),
        ({"Range": "bytes=-30", "If-Range": tag}, 206, 30),
        ({"Range": "bytes=5-14", "If-Range": '"other"'}, 200, len(whole.content)),
    ):
        answer = client.get(sent.path, headers=headers)
        assert (answer.status_code, len(answer.content)) == (status, length), headers
        assert answer.headers["ETag"] == tag
    assert client.get(sent.path, headers={"Range": "bytes=-30"}).content == whole.content[-30:]
    beyond = client.get(sent.path, headers={"Range": f"bytes={len(whole.content)}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole.content)}")


@pytest.mark.parametrize(
    "command",
    [
        ("curl", "-sS", "-o", "got.zip", "URL"),
        ("wget", "-q", "-O", "got.zip", "URL"),
        ("aria2c", "-q", "-x", "4", "-s", "4", "-k", "1M", "-o", "got.zip", "URL"),
    ],
    ids=lambda command: command[0],
)
def test_programs_fetch_it_and_find_nothing_wrong(
    stack: StartedStack, sent: Sent, tmp_path: Path, command: tuple[str, ...]
) -> None:
    run(tmp_path, *(part.replace("URL", stack.url + sent.path) for part in command))
    sent.is_right(tmp_path / "got.zip")
    run(tmp_path, "unzip", "-q", "got.zip", "-d", "out")
    run(tmp_path / "out", "sha256sum", "--strict", "-c", "SHA256SUMS")


def test_the_examples_of_the_guide_work(stack: StartedStack, sent: Sent, tmp_path: Path) -> None:
    section = GUIDE.read_text(encoding="utf-8").partition("### All items as one zip file\n")[2]
    first, resumed, unpacked = section.partition("```sh\n")[2].partition("```")[0].splitlines()
    for example in (first, resumed, unpacked):
        command = example.partition("  #")[0].replace("HOST", stack.url).replace("CODE", sent.code)
        if example == resumed:
            os.truncate(tmp_path / "all.zip", 1000)
        run(tmp_path, "sh", "-e", "-c", command.replace("curl ", "curl -sS "))
    sent.is_right(tmp_path / "all.zip")
    assert {path.name for path in tmp_path.iterdir()} == {*sent.contents, "SHA256SUMS", "all.zip"}


def test_the_other_interfaces_give_the_archive_too(
    client: httpx.Client, stack: StartedStack, sent: Sent, tmp_path: Path
) -> None:
    sent.is_right(client.get(f"/share/select/?code={sent.code}").content)
    facts = client.get(f"/share/metadata/?code={sent.code}").json()["detail"]
    length = int(client.head(sent.path).headers["Content-Length"])
    assert (facts["name"], facts["size"], facts["is_text"]) == ("Summer - 2026.zip", length, False)
    found = client.post("/share/select/", json={"code": sent.code}).json()["detail"]
    sent.is_right(client.get(found["download_url"]).content)
    run(tmp_path, "curl", "-sSOJ", f"{stack.url}/c/{sent.code}")
    sent.is_right(tmp_path / "Summer - 2026.zip")


def test_a_download_that_breaks_off_is_resumed_as_one_use(
    client: httpx.Client, stack: StartedStack, tmp_path: Path
) -> None:
    sent = Sent(client, {"a": os.urandom(12 * MIB)}, expire_style="count", expire_value=1)
    until_complete(client, sent.code)
    ticket = client.post(f"/v1/codes/{sent.code}/tickets").json()["ticket"]
    url, saved = f"{stack.url}{sent.path}?ticket={ticket}", tmp_path / "got.zip"
    command = ("curl", "-sS", "--limit-rate", "8M", "-o", "got.zip", url)
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as program:
        until = time.monotonic() + 30
        while not saved.exists() or saved.stat().st_size < MIB:
            assert program.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        program.kill()
    assert saved.stat().st_size < 12 * MIB
    run(tmp_path, "curl", "-sS", "-C", "-", "-o", "got.zip", url)
    sent.is_right(saved)
    # The use is taken: for another copy, for its items, and for others.
    assert client.get(sent.path, params={"ticket": ticket}).json()["code"] == "share_ended"
    assert client.get(sent.path).status_code == 410
    item = f"/v1/codes/{sent.code}/items/{sent.share['items'][0]['id']}"
    assert client.get(item, params={"ticket": ticket}).status_code == 410


def test_an_archive_waits_for_what_is_awaited_and_needs_the_password(client: httpx.Client) -> None:
    share = send(client, {"name": "a", "size": 1}, {"text": "b"}, password="a password")
    path, right = f"/v1/codes/{share['code']}/zip", {"X-Share-Password": "a password"}
    assert client.get(path).json()["code"] == "password_needed"
    early = client.get(path, headers=right)
    assert (early.status_code, early.json()["code"], "Retry-After" in early.headers) == (425, "not_ready", True)
    fill(client, share["items"][0], b"1")
    archive = client.get(path, headers=right)
    assert zipfile.ZipFile(io.BytesIO(archive.content)).namelist() == ["a", "text.txt", "SHA256SUMS"]
    # Another item makes another archive, and nobody joins ranges of both.
    more, key = {"items": [{"text": "c", "name": "c"}]}, {"Share-Key": share["key"]}
    assert client.post(f"/v1/shares/{share['id']}/items", json=more, headers=key).status_code == 201
    other = client.get(path, headers={**right, "Range": "bytes=10-", "If-Range": archive.headers["ETag"]})
    assert (other.status_code, len(zipfile.ZipFile(io.BytesIO(other.content)).namelist())) == (200, 4)
    assert client.get("/v1/codes/NOONE/zip").json()["code"] == "unknown_code"
    alone = client.post("/share/text/", data={"text": "words"}).json()["detail"]["code"]
    assert client.get(f"/v1/codes/{alone}/zip").json()["code"] == "no_archive"
