"""The client for large files: `http.client` on blocking sockets, which sends blocks of 1 MiB from memory.

It copies nothing itself and works outside the interpreter's lock, so it costs little more than the system calls.
"""

import http.client
import json
import select
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Any, Protocol
from urllib.parse import urlsplit

BLOCK = 1024 * 1024
BOUNDARY = "waystation-benchmark-boundary"


class Digest(Protocol):
    """A hash object of the standard library."""

    def update(self, data: memoryview, /) -> None: ...


class RequestFailed(Exception):
    """The answer was not a success."""


_kept = threading.local()


@contextmanager
def _connection(netloc: str) -> Generator[http.client.HTTPConnection]:
    """This thread's connection to `netloc`, kept from request to request as browsers and HTTP libraries do."""
    connections: dict[str, http.client.HTTPConnection] = _kept.__dict__.setdefault("connections", {})
    connection = connections.setdefault(netloc, http.client.HTTPConnection(netloc, timeout=120))
    if connection.sock and select.select([connection.sock], [], [], 0)[0]:
        connection.close()  # The server has ended it meanwhile; the next request opens another one.
    try:
        yield connection
    except BaseException:
        connections.pop(netloc).close()
        raise


@dataclass(frozen=True, slots=True)
class Sent:
    """The answer to a request that succeeded."""

    headers: Message
    body: bytes


def send(
    url: str, method: str, content: memoryview, headers: Mapping[str, str], *, head: bytes = b"", tail: bytes = b""
) -> Sent:
    """Send a request whose body is `head`, `content` and `tail`. Raises `RequestFailed`."""
    address = urlsplit(url)
    with _connection(address.netloc) as connection:
        connection.putrequest(method, f"{address.path}?{address.query}" if address.query else address.path)
        for name, value in {**headers, "Content-Length": str(len(head) + len(content) + len(tail))}.items():
            connection.putheader(name, value)
        connection.endheaders(head or None)
        for block in _blocks(content):
            connection.send(block)
        if tail:
            connection.send(tail)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status // 100 != 2:
            raise RequestFailed(f"{method} {address.path}: {answer.status} {body[:200]!r}")
        return Sent(answer.headers, body)


def send_form(url: str, field: str, content: memoryview, fields: dict[str, str]) -> Any:
    """Post a form (`multipart/form-data`) with one file. Returns `detail` of FileCodeBox's envelope."""
    return _form(url, field, content, fields)["detail"]


def send_file(url: str, content: memoryview) -> Any:
    """Post a form (`multipart/form-data`) that has only a file. Returns File Uploader's answer."""
    return _form(url, "file", content, {})


def _form(url: str, field: str, content: memoryview, fields: dict[str, str]) -> Any:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="bench.bin"\r\n\r\n'
    tail = "".join(
        f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'
        for name, value in fields.items()
    )
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    end = f"{tail}\r\n--{BOUNDARY}--\r\n"
    return json.loads(send(url, "POST", content, headers, head=head.encode(), tail=end.encode()).body)


def send_json(url: str, body: dict[str, Any]) -> Any:
    """Post JSON. Returns `detail` of FileCodeBox's envelope."""
    content = memoryview(json.dumps(body).encode())
    return json.loads(send(url, "POST", content, {"Content-Type": "application/json"}).body)["detail"]


def fetch(url: str, digest: Digest | None = None) -> str | None:
    """Get `url`, and hash the body with `digest` or discard it. Returns its `Repr-Digest`. Raises `RequestFailed`."""
    address = urlsplit(url)
    with _connection(address.netloc) as connection:
        connection.request("GET", f"{address.path}?{address.query}")
        answer = connection.getresponse()
        if answer.status != 200:
            raise RequestFailed(f"GET {address.path}: {answer.status} {answer.read(200)!r}")
        buffer = bytearray(BLOCK)
        while read := answer.readinto(buffer):
            if digest:
                digest.update(memoryview(buffer)[:read])
        return answer.headers["Repr-Digest"]


def _blocks(content: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(content), BLOCK):
        yield content[start : start + BLOCK]
