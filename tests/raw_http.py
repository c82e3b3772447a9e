"""Requests byte for byte over a socket of their own, and what came back until the server closed it."""

import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass


class Hung(AssertionError):
    """The server neither answered nor closed the connection in time."""


@dataclass(frozen=True, slots=True)
class RawAnswer:
    interim: tuple[int, ...]
    """The statuses before the last one: `100 Continue`."""
    status: int
    """0: the connection was closed without an answer."""
    headers: tuple[tuple[str, str], ...]
    """With names in lower case."""
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)


def exchange(
    port: int, sent: bytes | Iterable[bytes], *, on_continue: bytes = b"", ends: bool = False, seconds: float = 10
) -> RawAnswer:
    """Send these bytes to 127.0.0.1, and read until the server closes. The request asks for that: `Connection: close`.

    `on_continue`: what is sent when `100 Continue` has come; `ends`: whether our side of the connection is closed then.
    Raises `Hung` when nothing has come for `seconds`.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as opened:
        # A server that has refused the request may close before it has read all of it.
        with suppress(BrokenPipeError, ConnectionResetError):
            for block in [sent] if isinstance(sent, bytes) else sent:
                opened.sendall(block)
            if ends:
                opened.shutdown(socket.SHUT_WR)
        return _read(opened, on_continue, time.monotonic() + seconds)


def _read(opened: socket.socket, on_continue: bytes, until: float) -> RawAnswer:
    received = bytearray()
    while True:
        opened.settimeout(max(0.01, until - time.monotonic()))
        try:
            block = opened.recv(65536)
        except TimeoutError:
            raise Hung(f"received so far: {bytes(received[:500])!r}") from None
        except ConnectionResetError:
            break
        if not block:
            break
        received += block
        if on_continue and b" 100 " in received:
            with suppress(BrokenPipeError, ConnectionResetError):
                opened.sendall(on_continue)
            on_continue = b""
    return _parsed(bytes(received))


def _parsed(received: bytes) -> RawAnswer:
    interim: list[int] = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        status = int(line.split(" ")[1])
        if status >= 200:
            headers = tuple((name.lower(), value.strip()) for name, _, value in (each.partition(":") for each in lines))
            return RawAnswer(tuple(interim), status, headers, _whole(dict(headers), received))
        interim.append(status)
    return RawAnswer(tuple(interim), 0, (), b"")


def _whole(headers: dict[str, str], body: bytes) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return body
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + body[:length], body[length + 2 :]
    return whole
