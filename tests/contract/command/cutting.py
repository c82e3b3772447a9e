"""A proxy of TCP connections that cuts them, or holds them, after a number of bytes."""

import socket
import struct
import threading
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType

BLOCK = 64 * 1024


class CuttingProxy:
    """Passes bytes on to a port of this machine. Each connection may pass on only so many; then it is reset.

    `budgets`: for the first connections, in their order; those after them have no limit.
    """

    def __init__(self, port: int, budgets: Iterable[int] = ()) -> None:
        self._port = port
        self._budgets = list(budgets)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._hold_at: int | None = None
        self._opened: list[socket.socket] = []
        self.held = threading.Event()
        """Set when bytes are held back."""
        self._released = threading.Event()
        self._released.set()
        self.up = 0
        """The number of bytes that went to the server."""
        self.down = 0
        """The number of bytes that came from it."""
        self.cuts = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def hold_after(self, count: int) -> None:
        """Hold back everything for the server after so many more bytes, until `release`."""
        with self._lock:
            self._hold_at = self.up + count
            self.held.clear()
            self._released.clear()

    def release(self) -> None:
        with self._lock:
            self._hold_at = None
        self._released.set()

    def __enter__(self) -> "CuttingProxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._listening.close()
        for opened in self._opened:
            opened.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self._opened += [client, server]
                budget = [self._budgets.pop(0)] if self._budgets else None
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(source, target, budget), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, budget: list[int] | None) -> None:
        try:
            is_upwards = target.getpeername()[1] == self._port
            while block := source.recv(BLOCK):
                if is_upwards:
                    self._wait(len(block))
                else:
                    self._count(len(block))
                if budget is not None:
                    budget[0] -= len(block)
                    if budget[0] < 0:
                        self._cut(source, target)
                        return
                target.sendall(block)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            # Neither side waits for the other one.
            for connection in (source, target):
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _wait(self, count: int) -> None:
        with self._lock:
            self.up += count
            holds = self._hold_at is not None and self.up > self._hold_at
        if holds:
            self.held.set()
            self._released.wait()

    def _count(self, count: int) -> None:
        with self._lock:
            self.down += count

    def _cut(self, *connections: socket.socket) -> None:
        with self._lock:
            self.cuts += 1
        for connection in connections:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)
                connection.close()
