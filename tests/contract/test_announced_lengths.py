"""Announced lengths of bodies.

A length over the limit is refused before any of the body is read, and so before a client that sent
`Expect: 100-continue` is told to send it. A body that is wanted is asked for once.

Each is asked through the gateway and at the service itself.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.filecodebox import wire as filecodebox
from tests.contract.mirage.wire import User
from tests.contract.traces import Traces
from tests.raw_http import RawAnswer, exchange

ENORMOUS = 999_999_999_999
SIZE = 5000
"""Of the file, or of a chunk, that the uploads below are about."""
FORM = "multipart/form-data; boundary=b"
JSON = "application/json"
URLENCODED = "application/x-www-form-urlencoded"


def envelope(member: str, text: str = "") -> Callable[[Any], bool]:
    return lambda body: text in body[member] and (member == "detail" or len(body) <= 2)


def problem(body: Any) -> bool:
    return (body["status"], body["code"]) == (413, "too_large")


@dataclass(frozen=True, slots=True)
class Body:
    """A request with a body that would be too long, and the refusal of it."""

    service: str
    target: str
    """The method and the path; `{…}` is filled in."""
    kind: str
    status: int
    fits: Callable[[Any], bool]
    length: int = ENORMOUS
    token: str = ""
    """The value of `Authorization`; `{…}` is filled in."""


CHUNK = "POST /chunk/upload/chunk/{chunked}/0"
TOO_LONG = "分片大小超过声明值: 最大 5000, 实际 "
BODIES = {
    "FileCodeBox: form": Body("upload", "POST /share/file/", FORM, 403, envelope("detail", "Size exceeds limit")),
    "FileCodeBox: chunk": Body("upload", CHUNK, "", 400, envelope("detail", f"{TOO_LONG}{ENORMOUS}")),
    "FileCodeBox: chunk, a byte": Body("upload", CHUNK, "", 400, envelope("detail", f"{TOO_LONG}5001"), SIZE + 1),
    "FileCodeBox: chunk, short": Body(
        "upload", CHUNK, "", 400, envelope("detail", "分片大小小于声明值: 应为 5000, 实际 4999"), SIZE - 1
    ),
    "FileCodeBox: chunk's form": Body("upload", CHUNK, FORM, 400, envelope("detail", TOO_LONG)),
    "FileCodeBox: proxied": Body(
        "upload", "PUT {proxied}", FORM, 400, envelope("detail", "文件大小与声明不符"), SIZE + 2 * 1024 * 1024
    ),
    "FileCodeBox: JSON": Body("upload", "POST /chunk/upload/init/", JSON, 400, envelope("detail", "请求体格式错误")),
    "FileCodeBox: text": Body("share", "POST /share/text/", URLENCODED, 403, envelope("detail", "内容过多")),
    "FileCodeBox: code": Body("share", "POST /share/select/", JSON, 413, envelope("detail")),
    "File Uploader: form": Body("upload", "POST /api/upload", FORM, 413, envelope("message", "File size exceeds")),
    "File Uploader: alias": Body(
        "upload", "POST /api/upload/private", FORM, 413, envelope("message", "File size exceeds")
    ),
    "shared host: JSON": Body("auth", "POST /api/login", JSON, 413, lambda body: bool(body)),
    "Mirage: form": Body(
        "upload",
        "POST /api/upload_file",
        FORM,
        400,
        envelope("error", "File size exceeds the 24MB limit"),
        token="{mirage}",
    ),
    "Mirage: JSON": Body("chat", "POST /api/create_room", JSON, 413, envelope("error"), token="{mirage}"),
    "MirrorAce: form": Body("upload", "POST /api/v1/upload", FORM, 200, envelope("result", "A chunk has at most")),
    "MirrorAce: small form": Body("upload", "POST /api/v1/file/upload", FORM, 200, envelope("result")),
    "MirrorAce: fields": Body("share", "POST /api/v1/file/info", URLENCODED, 200, envelope("result")),
    "native: accounts": Body("auth", "POST /v1/auth/login", JSON, 413, problem),
    "native: fetches": Body("upload", "POST /v1/fetches", JSON, 413, problem, token="Bearer {native}"),
    "native: rooms": Body("chat", "POST /v1/rooms", JSON, 413, problem, token="Bearer {native}"),
}


@pytest.fixture(scope="module")
def known(client: httpx.Client) -> dict[str, str]:
    """The values for paths and tokens: uploads that are open, and an account."""
    user = User(client)
    token = client.post("/v1/auth/login", json={"name": user.name, "password": "correct horse battery"}).json()["token"]
    chunked = filecodebox.init(client, filecodebox.content(SIZE), chunk_size=SIZE)
    proxied = filecodebox.presign(client, SIZE)["upload_url"]
    return {"mirage": user.token, "native": token, "chunked": chunked, "proxied": proxied}


def ask(
    port: int, target: str, kind: str, length: int, *, token: str = "", body: bytes = b"", expect: bool = True
) -> RawAnswer:
    method, path = target.split(" ")
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", f"Content-Length: {length}"]
    lines += [f"Content-Type: {kind}"] * bool(kind) + [f"Authorization: {token}"] * bool(token)
    lines += ["Expect: 100-continue"] * expect
    return exchange(port, "".join(f"{line}\r\n" for line in [*lines, ""]).encode(), on_continue=body)


@pytest.mark.parametrize("expect", [True, False], ids=["waiting", "sending"])
@pytest.mark.parametrize("door", ["gateway", "service"])
def test_a_body_announced_too_long_is_refused_unread(
    stack: StartedStack, traces: Traces, known: dict[str, str], door: str, expect: bool
) -> None:
    with traces.nothing_left():
        for name, body in BODIES.items():
            port = stack.ports["gateway" if door == "gateway" else body.service]
            target, token = body.target.format(**known), body.token.format(**known)
            answer = ask(port, target, body.kind, body.length, token=token, expect=expect)
            assert (answer.interim, answer.status) == ((), body.status), (name, answer.body)
            assert body.fits(json.loads(answer.body)), (name, answer.body)


@pytest.mark.parametrize("door", ["gateway", "service"])
def test_a_body_that_is_wanted_is_asked_for_once(
    stack: StartedStack, client: httpx.Client, known: dict[str, str], door: str
) -> None:
    def part(head: str, content: bytes) -> bytes:
        return b"--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (head.encode(), content)

    def form(name: str, *more: bytes) -> bytes:
        return b"".join([*more, part(f'name="{name}"; filename="a.txt"', bytes(SIZE)), b"--b--\r\n"])

    chunked = filecodebox.init(client, filecodebox.content(SIZE), chunk_size=SIZE)
    proxied = filecodebox.presign(client, SIZE)["upload_url"]
    account = json.dumps({"name": "nobody", "password": "correct horse battery"}).encode()
    wanted = [
        ("upload", "POST /share/file/", FORM, form("file"), 200),
        ("upload", f"POST /chunk/upload/chunk/{chunked}/0", "", bytes(SIZE), 200),
        ("upload", f"PUT {proxied}", FORM, form("file"), 200),
        ("upload", "POST /api/upload", FORM, form("file"), 200),
        ("upload", "POST /api/v1/upload", FORM, form("files", part('name="api_key"', b"x")), 200),
        ("auth", "POST /v1/auth/login", JSON, account, 401),
    ]
    for service, target, kind, body, status in wanted:
        port = stack.ports["gateway" if door == "gateway" else service]
        answer = ask(port, target, kind, len(body), body=body)
        assert (answer.interim, answer.status) == ((100,), status), (target, answer)
