"""Requests byte for byte over a socket of their own, and what came back until the server closed it."""

import socket
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from select import select


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
    broke_off: bool
    """Whether our side of the connection was closed before the answer."""

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)


def exchange(
    port: int, sent: bytes, *, on_continue: bytes = b"", break_off: float | None = None, seconds: float = 10
) -> RawAnswer:
    """Send these bytes to 127.0.0.1, and read until the server closes. The request asks for that: `Connection: close`.

    `on_continue`: what is sent when `100 Continue` has come; `break_off`: the seconds of silence after which our side
    of the connection is closed, as that of a client that dies. Raises `Hung` after `seconds` without an answer.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as opened:
        # A server that has refused the request may close before it has read all of it.
        with suppress(OSError):
            opened.sendall(sent)
        if break_off is not None and not select([opened], [], [], break_off)[0]:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_WR)
            return replace(_read(opened, on_continue, time.monotonic() + seconds, break_off), broke_off=True)
        return _read(opened, on_continue, time.monotonic() + seconds, break_off)


def _read(opened: socket.socket, on_continue: bytes, until: float, break_off: float | None) -> RawAnswer:
    received = bytearray()
    while True:
        left = max(0.01, until - time.monotonic())
        opened.settimeout(min(left, break_off) if break_off and received else left)
        try:
            block = opened.recv(65536)
        except TimeoutError:
            if break_off and received and _is_complete(bytes(received)):
                # The connection stays open for another request.
                break
            if left > 0.01:
                continue
            raise Hung(f"received so far: {bytes(received[:500])!r}") from None
        except OSError:
            break
        if not block:
            break
        received += block
        if on_continue and b" 100 " in received:
            with suppress(OSError):
                opened.sendall(on_continue)
            on_continue = b""
    return _parsed(bytes(received))


def _is_complete(received: bytes) -> bool:
    """Whether no announced byte is missing. A busy server may send the body long after the head."""
    if b"\r\n\r\n" not in received:
        return False
    answer = _parsed(received)
    return len(answer.body) >= int(answer.header("content-length") or 0)


def _parsed(received: bytes) -> RawAnswer:
    interim: list[int] = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        status = int(line.split(" ")[1])
        if status >= 200:
            headers = tuple((name.lower(), value.strip()) for name, _, value in (each.partition(":") for each in lines))
            return RawAnswer(tuple(interim), status, headers, _whole(dict(headers), received), broke_off=False)
        interim.append(status)
    return RawAnswer(tuple(interim), 0, (), b"", broke_off=False)


def _whole(headers: dict[str, str], body: bytes) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return body
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        whole, body = whole + body[:length], body[length + 2 :]
    return whole
