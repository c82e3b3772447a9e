"""The files of the embedded stack are moved: from the volume of an earlier version, to an S3 server, and back."""

import hashlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from deploy.local import stack, store
from deploy.local.places import ROOT
from deploy.local.settings import SYSTEM_NAMES
from deploy.local.stack import StackFailed, StartedStack
from tests.contract.filecodebox import wire
from tests.engines import running_store
from tests.integration.embedded.looking import PATIENCE_SECONDS

pytestmark = pytest.mark.long

MIB = 1024 * 1024
FILES = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("moving")


@pytest.fixture(scope="module")
def server(folder: Path) -> Generator[dict[str, str]]:
    (folder / "server").mkdir()
    with running_store(folder / "server") as address:
        yield {
            "S3_ENDPOINT": address.endpoint,
            "S3_ACCESS_KEY": address.access_key,
            "S3_SECRET_KEY": address.secret_key,
        }


@pytest.fixture(scope="module")
def codes(folder: Path) -> dict[str, bytes]:
    """Codes and digests of files in a data folder as an earlier version left it."""
    codes: dict[str, bytes] = {}
    (folder / "old").mkdir()
    with running_store(folder / "old") as address:
        given = {"S3_ENDPOINT": address.endpoint, "S3_ACCESS_KEY": address.access_key}
        with started(folder / "data", given | {"S3_SECRET_KEY": address.secret_key}) as running:
            for number in range(FILES):
                content = secrets.token_bytes(MIB if number else 20 * MIB)
                answer = httpx.post(f"{running.url}/share/file/", files={"file": ("name", content)}, timeout=60)
                codes[answer.raise_for_status().json()["detail"]["code"]] = hashlib.sha256(content).digest()
        # The engine's folder goes when it ends.
        (folder / "old" / "store").rename(folder / "kept")
        (folder / "old" / "store").mkdir()
    (folder / "kept").rename(store.folder(folder / "data"))
    (folder / "data" / store.NAME).unlink()
    return codes


@contextmanager
def started(data: Path, environment: Mapping[str, str]) -> Generator[StartedStack]:
    with stack.start(data, environment={"UPLOAD_COUNT": "1000", "ERROR_COUNT": "1000", **environment}) as running:
        yield running


def moving(data: Path, to: str, environment: Mapping[str, str], *options: str) -> "subprocess.Popen[str]":
    inherited = {name: os.environ[name] for name in SYSTEM_NAMES if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.local.moving", to, *options],
        cwd=ROOT,
        env={**inherited, **environment, "DATA": str(data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def moved(data: Path, to: str, environment: Mapping[str, str], *options: str) -> tuple[int, str]:
    process = moving(data, to, environment, *options)
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, output


def objects(data: Path) -> list[Path]:
    return list((store.folder(data) / "objects").glob("*/*/*"))


def all_there(running: StartedStack, codes: Mapping[str, bytes]) -> None:
    with httpx.Client(base_url=running.url, timeout=60) as client:
        for code, digest in codes.items():
            assert hashlib.sha256(wire.download(client, code).content).digest() == digest


def test_files_of_an_earlier_version_stop_the_start_with_the_way_to_move_them(
    folder: Path, codes: dict[str, bytes]
) -> None:
    assert codes
    with pytest.raises(StackFailed, match="make store-move TO=folder"):
        stack.start(folder / "data")
    assert not (folder / "data" / store.NAME).exists()


def test_a_move_that_is_killed_goes_on_and_nothing_is_lost(folder: Path, codes: dict[str, bytes]) -> None:
    data = folder / "data"
    process, until = moving(data, "folder", {}), time.monotonic() + PATIENCE_SECONDS
    while not objects(data):
        assert time.monotonic() < until
        assert process.poll() is None, process.communicate()[0]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert store.recorded(data) is None
    with pytest.raises(StackFailed, match="make store-move TO=folder"):
        stack.start(data)
    status, output = moved(data, "folder", {})
    assert status == 0, output
    assert len(objects(data)) == len(codes)
    assert (store.old_volume(data) / "meta").exists()
    with started(data, {}) as running:
        all_there(running, codes)


def test_damage_is_named_and_keeps_the_store_until_it_is_allowed_and_the_way_back_works(
    folder: Path, codes: dict[str, bytes], server: dict[str, str]
) -> None:
    data = folder / "data"
    damaged = objects(data)[0]
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    kept = {code: digest for code, digest in codes.items() if digest != hashlib.sha256(content).digest()}
    status, output = moved(data, "s3", {"STORE": "folder", **server})
    assert (status, store.recorded(data)) == (1, "folder"), output
    assert f"damaged, not copied: {damaged.name.replace('.', '/')}" in output
    status, output = moved(data, "s3", server, "--leave-damaged")
    assert (status, store.recorded(data)) == (0, "s3"), output
    with pytest.raises(StackFailed, match="make store-move TO=folder"):
        stack.start(data)
    with started(data, server) as running:
        all_there(running, kept)
    damaged.write_bytes(content)
    status, output = moved(data, "folder", server, "--leave-damaged")
    assert (status, store.recorded(data)) == (0, "folder"), output
    with started(data, {}) as running:
        all_there(running, codes)


def test_a_move_to_where_the_files_are_does_nothing(folder: Path, codes: dict[str, bytes]) -> None:
    assert codes
    status, output = moved(folder / "data", "folder", {})
    assert (status, "already" in output) == (0, True), output
