"""A tus client for tests that says exactly what it is told, and breaks off where it is told."""

import base64
import socket
import time
from urllib.parse import urlsplit

import httpx

PATIENCE_SECONDS = 10
HEADERS = {"Tus-Resumable": "1.0.0"}
OFFSET_TYPE = "application/offset+octet-stream"


def metadata(**pairs: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


def create(
    client: httpx.Client, size: int | None = None, content: bytes | None = None, base: str = "/v1/uploads", **more: str
) -> httpx.Response:
    """Begin an upload of `size` bytes, None: of a length that is told later. `more`: headers."""
    length = {"Upload-Defer-Length": "1"} if size is None else {"Upload-Length": str(size)}
    typed = {} if content is None else {"Content-Type": OFFSET_TYPE}
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return client.post(base, content=content, headers={**HEADERS, **length, **typed, **named})


def begun(client: httpx.Client, size: int | None = None, **more: str) -> str:
    """The address of a new upload."""
    answer = create(client, size, None, "/v1/uploads", **more)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def patch(client: httpx.Client, url: str, at: int, content: bytes, **more: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    typed = {**HEADERS, "Upload-Offset": str(at), "Content-Type": OFFSET_TYPE, **named}
    return client.patch(url, content=content, headers=typed)


def final(client: httpx.Client, urls: list[str], **more: str) -> httpx.Response:
    """Join pieces to one upload."""
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return client.post("/files/", headers={**HEADERS, "Upload-Concat": f"final;{' '.join(urls)}", **named})


def offset(client: httpx.Client, url: str) -> int:
    answer = client.head(url, headers=HEADERS)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return int(answer.headers["Upload-Offset"])


def reaches(client: httpx.Client, url: str, least: int) -> int:
    """Wait until the upload has at least `least` bytes; its offset."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (current := offset(client, url)) < least:
        assert time.monotonic() < until, current
        time.sleep(0.01)
    return current


def broken_patch(url: str, at: int, announced: int, sent: bytes, **more: str) -> None:
    """Announce `announced` bytes, send fewer, and end the connection as a client does that dies.

    The server closes its side at once, and may still be storing what arrived.
    """
    parts = urlsplit(url)
    lines = {
        "Host": parts.netloc,
        **HEADERS,
        "Upload-Offset": str(at),
        "Content-Type": OFFSET_TYPE,
        "Content-Length": str(announced),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    head = f"PATCH {parts.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20) as connection:
        connection.sendall(head.encode() + b"\r\n" + sent)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
