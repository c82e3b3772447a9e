"""The requests whose costs are counted. Each is made ready, which does not count, and then sent."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from tests.costs.counting import Counts
from tests.costs.system import System
from tests.integration.share.running_share import ADMIN_PASSWORD

KEPT = {"expire_value": 1, "expire_style": "day"}
TUS = {"Tus-Resumable": "1.0.0"}
SMALL, CHUNK = 64 * 1024, 256 * 1024
ROUNDS = 3
"""The services do things by themselves as well, which may fall into one round, but hardly into each."""

Send = Callable[[], httpx.Response]


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one request."""

    statements: int
    commits: int
    commands: int
    calls: int
    messages: int


def measure(system: System, counts: Counts) -> dict[str, Cost]:
    """The cost of each request: the least of some rounds after one that only warms up."""
    prepared = {**_uploads(system), **_redemptions(system), **_others(system)}
    return {name: _cost(prepare, counts) for name, prepare in prepared.items()}


def _cost(prepare: Callable[[], Send], counts: Counts) -> Cost:
    found: list[tuple[int, ...]] = []
    for _ in range(1 + ROUNDS):
        send = prepare()
        counts.clear()
        answer = send()
        assert answer.is_success, answer.text
        found.append(counts.numbers())
    return Cost(*(min(column) for column in zip(*found[1:], strict=True)))


def _detail(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()["detail"]


def _uploads(system: System) -> dict[str, Callable[[], Send]]:
    client = system.client("upload")

    def begin() -> tuple[str, bytes]:
        content = secrets.token_bytes(CHUNK)
        new = {"file_name": "a.bin", "file_size": CHUNK, "chunk_size": CHUNK}
        asked = {**new, "file_hash": hashlib.sha256(content).hexdigest()}
        return _detail(client.post("/chunk/upload/init/", json=asked))["upload_id"], content

    def send_chunk(upload_id: str, content: bytes) -> httpx.Response:
        return client.post(f"/chunk/upload/chunk/{upload_id}/0", files={"chunk": ("a.bin", content)})

    def form() -> Send:
        content = secrets.token_bytes(SMALL)
        return lambda: client.post("/share/file/", files={"file": ("a.bin", content)}, data=KEPT)

    def init() -> Send:
        new = {"file_name": "a.bin", "file_size": CHUNK, "chunk_size": CHUNK, "file_hash": secrets.token_hex(32)}
        return lambda: client.post("/chunk/upload/init/", json=new)

    def chunk() -> Send:
        upload_id, content = begin()
        return lambda: send_chunk(upload_id, content)

    def complete() -> Send:
        upload_id, content = begin()
        _detail(send_chunk(upload_id, content))
        return lambda: client.post(f"/chunk/upload/complete/{upload_id}", json=KEPT)

    def patch() -> Send:
        begun = client.post("/files/", headers={**TUS, "Upload-Length": str(2 * CHUNK)})
        path = httpx.URL(begun.headers["Location"]).path
        headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        return lambda: client.patch(path, headers=headers, content=secrets.token_bytes(CHUNK))

    return {
        "form of 64 KiB": form,
        "chunks: init": init,
        "chunks: chunk": chunk,
        "chunks: complete": complete,
        "tus: PATCH of a part": patch,
    }


def _redemptions(system: System) -> dict[str, Callable[[], Send]]:
    upload, client = system.client("upload"), system.client("share")
    sent = {"file": ("a.bin", secrets.token_bytes(SMALL))}
    file = _code(lambda: upload.post("/share/file/", files=sent, data=KEPT))
    text = _code(lambda: client.post("/share/text/", data={"text": "a text", **KEPT}))
    return {
        "metadata of a code": lambda: lambda: client.get("/share/metadata/", params={"code": file}),
        "select, posted": lambda: lambda: client.post("/share/select/", json={"code": file}),
        "file by code": lambda: lambda: client.get("/share/select/", params={"code": file}),
        "text by code": lambda: lambda: client.get("/share/select/", params={"code": text}),
    }


def _code(share: Send) -> str:
    """The code of a new share, not of digits alone: there are few of those, so they are counted by days as well."""
    while (code := _detail(share())["code"]).isdecimal():
        pass
    return code


def _others(system: System) -> dict[str, Callable[[], Send]]:
    auth = system.client("auth")
    signing_in = {"name": "admin", "password": ADMIN_PASSWORD}
    token = auth.post("/v1/auth/login", json=signing_in).raise_for_status().json()["token"]
    chat = system.client("chat", token)
    made = chat.post("/v1/rooms", json={"name": f"room {secrets.token_hex(6)}", "is_private": True})
    path = f"/v1/rooms/{made.raise_for_status().json()['id']}/messages"
    return {
        "login": lambda: lambda: auth.post("/v1/auth/login", json=signing_in),
        "message to a room": lambda: lambda: chat.post(path, json={"text": "hello"}),
    }
