"""A front before a mirror's server, which makes it appear gone, hanging, full or refusing."""

import asyncio
import re
import threading
from collections.abc import Coroutine, Generator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Any, TypeVar

from common.cancelling import cancel
from deploy.local.ports import LOOPBACK, choose
from tests.integration.running_remote import handled

Result = TypeVar("Result")


class Fault(StrEnum):
    GONE = "gone"
    HANGS = "hangs"
    FULL = "full"
    REFUSES = "refuses"


class Background:
    """An event loop in a thread, so that a server can answer while the test's own loop is busy or blocked."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="mirror servers")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def stop(self) -> None:
        self.run(_end_tasks())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


async def _end_tasks() -> None:
    await cancel(*(task for task in asyncio.all_tasks() if task is not asyncio.current_task()))
    # Transports that were closed or aborted close their sockets in a later turn of the loop.
    await asyncio.sleep(0.01)


@contextmanager
def background() -> Generator[Background]:
    running = Background()
    try:
        yield running
    finally:
        running.stop()


ANSWERS = {
    Fault.FULL: b"HTTP/1.1 507 Insufficient Storage\r\n",
    Fault.REFUSES: b"HTTP/1.1 403 Forbidden\r\n",
}
# The words are S3's; the other drivers only look at the status.
BODIES = {
    Fault.FULL: b"<Error><Code>XMinioStorageFull</Code></Error>",
    Fault.REFUSES: b"<Error><Code>AccessDenied</Code></Error>",
}


class Front:
    """Passes connections on to a server, until a fault is set; then those that are open end."""

    def __init__(self, background: Background, target: int, *, speaks_http: bool) -> None:
        """`speaks_http`: it can answer by itself that the server is full, or refuses."""
        self.port = choose(1)[0]
        self._background, self._target, self._speaks_http = background, target, speaks_http
        self._fault: Fault | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        background.run(self._listen())

    def set(self, fault: Fault | None) -> None:
        self._background.run(self._set(fault))

    def close(self) -> None:
        self.set(Fault.GONE)

    async def _set(self, fault: Fault | None) -> None:
        if fault is Fault.GONE:
            self._server.close()
        elif self._fault is Fault.GONE:
            await self._listen()
        self._fault = fault
        for writer in list(self._writers):
            writer.transport.abort()
        # Let both sides notice that their connections ended.
        await asyncio.sleep(0.01)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, self.port)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._fault is Fault.GONE:
            # The connection came in just before.
            writer.transport.abort()
            return
        task = handled(self._serve, reader, writer)
        self._tasks.add(task)
        self._writers.add(writer)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: self._writers.discard(writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if self._fault is Fault.HANGS:
                while await reader.read(65536):
                    pass
            elif self._fault is not None and self._fault in ANSWERS and self._speaks_http:
                await self._answer(self._fault, reader, writer)
            else:
                await self._pass_on(b"", reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            return

    async def _answer(self, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if fault is Fault.FULL and not head.startswith((b"PUT ", b"POST ")):
            # The next request comes on another connection, so that it is looked at as well.
            await self._pass_on(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1), reader, writer)
            return
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        left = int(length[1]) if length else 0
        while left:
            left -= len(await reader.readexactly(min(left, 65536)))
        body = BODIES[fault]
        writer.write(ANSWERS[fault] + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def _pass_on(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(LOOPBACK, self._target)
        self._writers.add(to_server)
        try:
            to_server.write(head)
            await asyncio.gather(_copy(reader, to_server), _copy(from_server, writer))
        finally:
            self._writers.discard(to_server)
            to_server.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await reader.read(262144):
            writer.write(block)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
