"""File Uploader's uploads through the gateway: cut off, too large, malformed. None leaves anything behind."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from tests.contract.fileuploader import wire
from tests.contract.traces import Traces

MIB = 1024 * 1024
HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
TAIL = b"\r\n--x--\r\n"
PATHS = ("/api/upload", "/api/upload/private")
CUT_OFF = (None, 400, 499, 503)
"""Possible statuses when the client breaks a request off; it does not read the answer, so any of them will do."""


def cut_off(client: httpx.Client, path: str, body: bytes, *headers: str) -> int | None:
    """Send a request that ends too early. Returns the status of the answer, if there is one."""
    host, port = client.base_url.host, client.base_url.port
    assert port
    head = [f"POST {path} HTTP/1.1", f"Host: {host}:{port}", "Content-Type: multipart/form-data; boundary=x", *headers]
    with socket.create_connection((host, port), timeout=30) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    return int(answer.split()[1]) if answer else None


@pytest.mark.parametrize("size", [100, 6 * MIB])
@pytest.mark.parametrize("path", PATHS)
def test_a_body_cut_off_in_the_middle_leaves_nothing(
    client: httpx.Client, traces: Traces, path: str, size: int
) -> None:
    form = HEAD + secrets.token_bytes(size) + TAIL
    with traces.nothing_left():
        assert cut_off(client, path, form[: size // 2 + len(HEAD)], f"Content-Length: {len(form)}") in CUT_OFF


def test_a_chunked_body_cut_off_leaves_nothing(client: httpx.Client, traces: Traces) -> None:
    body = HEAD + secrets.token_bytes(1000)
    with traces.nothing_left():
        framed = b"%x\r\n" % len(body) + body + b"\r\n"
        assert cut_off(client, PATHS[0], framed, "Transfer-Encoding: chunked") in CUT_OFF


def test_a_far_too_large_body_is_refused_early(client: httpx.Client, traces: Traces) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield HEAD
        while True:
            sent += MIB
            yield bytes(MIB)

    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(10**12)}
    with traces.nothing_left():
        # The gateway answers and soon closes the connection. A client that does not read while it sends may notice only
        # the closed connection, not the answer, and may have sent a lot by then.
        with suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            assert client.post(PATHS[0], content=endless(), headers=headers).status_code == 413
        assert sent < 10**11


@pytest.mark.parametrize("size", [0, 1, 5 * MIB, 12 * MIB + 7])
@pytest.mark.parametrize("announced", [True, False], ids=["with a length", "without"])
def test_the_downloaded_file_equals_the_uploaded_one(client: httpx.Client, size: int, announced: bool) -> None:
    content = secrets.token_bytes(size)
    form = HEAD + content + TAIL
    blocks = (form[start : start + 100_000] for start in range(0, len(form), 100_000))
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    body = wire.succeeded(client.post(PATHS[0], content=form if announced else blocks, headers=headers))
    assert client.get(f"/file/{body['file_url']}").content == content
    wire.succeeded(wire.delete(client, body["file_url"], body["key"]))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "body",
    [HEAD, HEAD + b"x", HEAD + b"x" + TAIL[:-4], HEAD.replace(b"a.bin", b"x" * 9000 + b".bin") + b"x" + TAIL],
    ids=["head", "no end", "half an end", "long name"],
)
def test_a_malformed_form_leaves_nothing(client: httpx.Client, traces: Traces, path: str, body: bytes) -> None:
    with traces.nothing_left():
        answer = client.post(path, content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"
