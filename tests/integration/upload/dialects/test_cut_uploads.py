"""Uploads by both protocols, over connections that are cut at any byte, against a model of what a session may do.

`make faults` runs it for a minute, and `make cuts` for an hour.
"""

import os
import random
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.integration.upload.dialects import tus_client as tus
from tests.integration.upload.dialects.test_resumable import PARTIAL_TYPE
from tests.integration.upload.dialects.tus_service import content_of
from tests.integration.upload.running_upload import UploadService, running_upload_service

SECONDS = int(os.environ.get("WAYSTATION_CUT_SECONDS", "60"))
LARGEST = 400_000

pytestmark = [pytest.mark.long, pytest.mark.timeout(SECONDS + 120)]


@pytest.fixture(scope="module")
def service(
    make_database: MakeDatabase, engines: Engines, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[UploadService]:
    folder = str(tmp_path_factory.mktemp("store"))
    in_folder: dict[str, Any] = {"store": "folder", "store_folder": folder, "store_sync": False}
    with running_upload_service(make_database, engines, **in_folder) as service:
        yield service


@dataclass
class Model:
    """What may be true of a session: it has at least `low` and at most `high` of the bytes of `content`."""

    content: bytes
    low: int = 0
    high: int = 0

    def check(self, offset: int) -> None:
        """The offset never goes back, and never beyond what was sent.

        A request that was cut may still be on its way when a later one is answered, so the offset may grow by itself.
        """
        assert self.low <= offset <= self.high, (self.low, offset, self.high)
        self.low = offset

    def sent(self, at: int, length: int) -> None:
        self.high = max(self.high, at + length)


def request_of(url: str, at: int, body: bytes, *, draft: bool, completes: bool) -> bytes:
    parts = urlsplit(url)
    said = (
        {"Upload-Complete": "?1" if completes else "?0", "Content-Type": PARTIAL_TYPE}
        if draft
        else {**tus.HEADERS, "Content-Type": tus.OFFSET_TYPE}
    )
    lines = {"Host": parts.netloc, "Upload-Offset": str(at), "Content-Length": str(len(body)), **said}
    head = f"PATCH {parts.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return head.encode() + b"\r\n" + body


def send_cut(url: str, request: bytes, cut: int, *, reset: bool) -> None:
    """Send the first `cut` bytes of a request, and close the connection, or reset it."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20) as connection:
        connection.sendall(request[:cut])
        if reset:
            # Closing discards what was not sent, and tells the other side so.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return
        connection.shutdown(socket.SHUT_WR)
        with suppress(OSError):
            while connection.recv(4096):
                pass


def settled(client: httpx.Client, url: str, model: Model, *, draft: bool) -> int:
    """The offset, once no request is bringing anything any more."""
    headers = {} if draft else tus.HEADERS
    while True:
        head = client.head(url, headers=headers)
        if head.status_code in (200, 204):
            offset = int(head.headers["Upload-Offset"])
            model.check(offset)
            return offset
        assert head.status_code == 423, head.status_code


def upload(service: UploadService, client: httpx.Client, chance: random.Random) -> None:
    content = chance.randbytes(chance.randrange(1, LARGEST))
    model = Model(content)
    known = chance.random() < 0.5
    url = tus.begun(client, len(content) if known else None)
    for _ in range(chance.randrange(8)):
        at = settled(client, url, model, draft=chance.random() < 0.5)
        if at == len(content):
            break
        body = content[at : at + chance.randrange(1, len(content) + 1)]
        is_last = at + len(body) == len(content)
        draft = chance.random() < 0.5
        request = request_of(url, at, body, draft=draft, completes=is_last and chance.random() < 0.5)
        cut = chance.randrange(len(request) + 1)
        send_cut(url, request, cut, reset=chance.random() < 0.5)
        model.sent(at, max(0, cut - (len(request) - len(body))))
    while (done := client.head(url)).headers.get("Upload-Complete") != "?1":
        at = settled(client, url, model, draft=True)
        headers = {"Upload-Complete": "?1", "Upload-Offset": str(at), "Content-Type": PARTIAL_TYPE}
        model.sent(at, len(content) - at)
        done = client.patch(url, content=content[at:], headers=headers)
        # One that was cut has come first, or comes only now and interrupts this one.
        assert done.status_code in (201, 400, 409, 423), done.text
    model.check(len(content))
    assert content_of(service, done.headers["Waystation-File"]) == content


def test_uploads_over_connections_that_are_cut_anywhere(service: UploadService) -> None:
    seed = int(os.environ.get("WAYSTATION_CUT_SEED", str(random.randrange(2**32))))
    chance, until, number = random.Random(seed), time.monotonic() + SECONDS, 0
    client = service.client()
    while time.monotonic() < until:
        number += 1
        try:
            upload(service, client, chance)
        except BaseException as error:
            error.add_note(f"upload {number} of WAYSTATION_CUT_SEED={seed}")
            raise
    assert number > SECONDS / 10
