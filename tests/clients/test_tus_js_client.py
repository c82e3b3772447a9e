"""tus-js-client, unmodified, against the running system. `make clients` installs it."""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.conftest import running_stack

HERE = Path(__file__).parent
SIZE = 12 * 1024 * 1024 + 17
SECONDS = 60
UPLOADING = [
    *("whole", "chunks", "with-creation", "deferred", "parallel", "override", "checksum", "pausing", "resuming"),
    *(
        f"{draft}{how}"
        for draft in ("ietf-draft-03", "ietf-draft-05")
        for how in ("", "-chunks", "-with-creation", "-pausing", "-after-tus")
    ),
]

pytestmark = pytest.mark.skipif(not (HERE / "node_modules").is_dir(), reason="make clients installs it")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedStack]:
    with running_stack(tmp_path_factory) as stack:
        yield stack


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tus") / "sent.bin"
    path.write_bytes(os.urandom(SIZE))
    return path


def run(stack: StartedStack, kind: str, file: Path, path: str = "/files/") -> dict[str, Any]:
    """The last answer, as the client reports it."""
    command = ["node", str(HERE / "tus.mjs"), kind, stack.url + path, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    return json.loads(done.stdout)


def fetched(stack: StartedStack, code: str) -> bytes:
    """The file behind a code, once it is verified."""
    until = time.monotonic() + SECONDS
    while (answer := httpx.get(f"{stack.url}/share/select/", params={"code": code})).status_code == 425:
        assert time.monotonic() < until
        time.sleep(0.2)
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.mark.parametrize("kind", UPLOADING)
def test_what_it_sends_arrives_identical(stack: StartedStack, file: Path, kind: str) -> None:
    said = run(stack, kind, file)
    assert hashlib.sha256(fetched(stack, said["code"])).digest() == hashlib.sha256(file.read_bytes()).digest()
    metadata = httpx.get(f"{stack.url}/share/metadata/", params={"code": said["code"]}).json()["detail"]
    assert (metadata["name"], metadata["size"]) == (f"{kind}.bin", SIZE)


def test_the_other_path_is_the_same(stack: StartedStack, file: Path) -> None:
    said = run(stack, "whole", file, "/v1/uploads")
    assert fetched(stack, said["code"]) == file.read_bytes()


def test_an_upload_that_it_terminates_is_gone(stack: StartedStack, file: Path) -> None:
    url = run(stack, "terminating", file)["url"]
    assert httpx.head(url, headers={"Tus-Resumable": "1.0.0"}).status_code in (404, 410)


def test_a_wrong_checksum_is_told(stack: StartedStack, file: Path) -> None:
    assert run(stack, "wrong-checksum", file) == {"refused": 460}


def test_a_service_that_is_killed_in_the_middle_is_not_noticed(stack: StartedStack, file: Path) -> None:
    command = ["node", str(HERE / "tus.mjs"), "chunks", f"{stack.url}/files/", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        time.sleep(0.3)
        stack.wait_restarted("upload", stack.kill("upload"))
        said, _ = client.communicate(timeout=SECONDS)
    assert fetched(stack, json.loads(said)["code"]) == file.read_bytes()
