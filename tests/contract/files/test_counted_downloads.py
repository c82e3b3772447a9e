"""Downloads of shares with one use, by the programs that people use, on the running system (ADR 21)."""

import hashlib
import os
import shutil
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tests.contract.filecodebox import wire as box
from tests.contract.fileuploader import wire as uploader

MIB = 1024 * 1024
SIZE = 20_000_000
# The headers with which Chromium plays a file.
CHROMIUM = {"Accept-Encoding": "identity;q=1, *;q=0", "Sec-Fetch-Dest": "video", "Sec-Fetch-Mode": "no-cors"}


@pytest.fixture(scope="module")
def content() -> bytes:
    return os.urandom(SIZE)


def counted_url(client: httpx.Client, content: bytes, way: str, name: str = "file.bin") -> str:
    """The address of a file that may be downloaded once."""
    if way == "link":
        path = f"/f/{uploader.upload(client, content, name, max_uses='1')['file_url']}"
    else:
        code = box.share_file(client, content, name, expire_style="count", expire_value=1)
        path = box.select(client, code)["download_url"] if way == "key" else f"/share/select/?code={code}"
    return urljoin(str(client.base_url), path)


def run(*command: str, check: bool = True) -> int:
    """Run a program, and skip the test where it is not installed. Returns its exit status."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.returncode


def begun(saved: Path, *command: str) -> None:
    """Run a program and stop it in the middle of the file."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
        until = time.monotonic() + 30
        while not saved.exists() or saved.stat().st_size < 2 * MIB:
            assert program.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
        program.terminate()
    assert saved.stat().st_size < SIZE


def digest(saved: Path) -> str:
    return hashlib.sha256(saved.read_bytes()).hexdigest()


def is_ended(client: httpx.Client, url: str) -> bool:
    """Whether nobody gets the file any more, whole or from its first byte."""
    answers = [client.get(url), client.get(url, headers={"Range": "bytes=0-"})]
    return all(len(answer.content) < 1000 for answer in answers) and answers[1].status_code == 404


@pytest.mark.parametrize("way", ["code", "key", "link"])
@pytest.mark.parametrize("program", ["curl", "curl -r 0-", "wget", "aria2c", "axel"])
def test_a_program_gets_one_copy(client: httpx.Client, content: bytes, tmp_path: Path, program: str, way: str) -> None:
    url, saved = counted_url(client, content, way), tmp_path / "saved"
    match program:
        case "curl" | "curl -r 0-":
            run(*program.split(), "-sSf", "-o", str(saved), url)
        case "wget":
            run("wget", "-q", "-O", str(saved), url)
        case "aria2c":
            run("aria2c", "--no-conf", "-q", "-x8", "-s8", "-k1M", "-d", str(tmp_path), "-o", saved.name, url)
        case _:
            run("axel", "-q", "-n4", "-o", str(saved), url)
    assert digest(saved) == hashlib.sha256(content).hexdigest()
    if program in ("curl", "wget"):
        assert is_ended(client, url)
    assert len(client.get(url).content) < 1000


@pytest.mark.parametrize("program", ["curl", "wget"])
def test_a_download_that_broke_is_resumed(client: httpx.Client, content: bytes, tmp_path: Path, program: str) -> None:
    url, saved = counted_url(client, content, "link"), tmp_path / "saved"
    if program == "curl":
        begun(saved, "curl", "-sSf", "--limit-rate", "4M", "-o", str(saved), url)
        run("curl", "-sSf", "-C", "-", "-o", str(saved), url)
    else:
        begun(saved, "wget", "-q", "--limit-rate=4m", "-O", str(saved), url)
        run("wget", "-q", "-c", "-O", str(saved), url)
    assert digest(saved) == hashlib.sha256(content).hexdigest()
    assert is_ended(client, url)


@pytest.mark.parametrize("way", ["code", "link"])
def test_programs_do_not_take_a_refusal_for_the_file(
    client: httpx.Client, content: bytes, tmp_path: Path, way: str
) -> None:
    url, saved = counted_url(client, content, way), tmp_path / "saved"
    assert client.get(url).content == content
    assert run("curl", "-sf", "-r", "0-", "-o", str(saved), url, check=False) != 0
    assert run("axel", "-q", "-n4", "-o", str(saved), url, check=False) != 0
    assert not saved.exists() or saved.stat().st_size == 0


def first_bytes(client: httpx.Client, url: str, ranges: str | None, headers: dict[str, str] | None = None) -> int:
    """Begin to read and hang up, as a player does; returns the status."""
    asked = {"Range": f"bytes={ranges}"} if ranges else {}
    with client.stream("GET", url, headers=asked | (headers or {})) as answer:
        for _ in answer.iter_bytes(1000):
            break
    return answer.status_code


def test_chromium_plays_a_video(client: httpx.Client, content: bytes) -> None:
    url = counted_url(client, content, "link", "film.mp4")
    assert client.head(url).status_code == 200
    assert first_bytes(client, url, None, {"Sec-Fetch-Dest": "document"}) == 200
    for ranges in ("0-", f"{SIZE - 70000}-", "131072-", "9000000-", "4000000-"):
        assert first_bytes(client, url, ranges, CHROMIUM) == 206
    assert is_ended(client, url)


def test_safari_plays_a_video(client: httpx.Client, content: bytes) -> None:
    url = counted_url(client, content, "link", "film.mp4")
    for ranges, part in (("0-1", content[:2]), (f"0-{SIZE - 1}", content), ("19000000-19999999", content[19_000_000:])):
        answer = client.get(url, headers={"Range": f"bytes={ranges}", "X-Playback-Session-Id": "A"})
        assert (answer.status_code, answer.content) == (206, part)
        assert answer.headers["content-range"] == f"bytes {ranges}/{SIZE}"
    assert len(client.get(url).content) < 1000


def test_a_preview_and_a_head_leave_the_use_for_the_reader(client: httpx.Client, content: bytes) -> None:
    for way in ("code", "link"):
        url = counted_url(client, content, way)
        assert client.head(url).headers["content-length"] == str(SIZE)
        assert client.get(url, headers={"Range": "bytes=0-0"}).content == content[:1]
        assert client.get(url).content == content
        assert is_ended(client, url)


def test_a_client_that_hangs_up_before_the_answer_leaves_the_use(client: httpx.Client) -> None:
    body = box.content(100_000)
    url = httpx.URL(counted_url(client, body, "code"))
    with socket.create_connection((url.host, url.port or 80)) as connection:
        connection.sendall(b"GET " + url.raw_path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(0.5)
    assert client.get(url).content == body


def test_six_at_once_are_one_copy(client: httpx.Client, content: bytes) -> None:
    url = counted_url(client, content, "code")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: client.get(url), range(6)))
    assert sorted(len(answer.content) > 1000 for answer in answers) == [False] * 5 + [True]
    assert [answer.json() for answer in answers if len(answer.content) < 1000] == [box.ENDED] * 5


@pytest.mark.parametrize("way", ["code", "key", "link"])
def test_no_combination_of_headers_gives_a_second_copy(client: httpx.Client, way: str) -> None:
    body = box.content(100_000)
    url = counted_url(client, body, way)
    tag = client.head(url).headers["etag"]
    assert client.get(url).content == body
    missing = set(range(len(body)))
    ranges = ("", "0-", "0-49999", "50000-", "1-", "-99999", "-100000", "0-0", "0-0,1-", "50000-99999999999999999999")
    validators = ("", "zzz", '"zzz"', tag, f"W/{tag}", "Sat, 21 Nov 2020 21:21:21 GMT")
    for asked, validator in product(ranges, validators):
        headers = {"Range": f"bytes={asked}"} if asked else {}
        answer = client.get(url, headers=headers | ({"If-Range": validator} if validator else {}))
        assert len(answer.content) < len(body)
        assert not asked or answer.status_code >= 206
        if answer.status_code == 206:
            first, last = answer.headers["content-range"].split(" ")[1].split("/")[0].split("-")
            missing -= set(range(int(first), int(last) + 1))
    assert 0 in missing
