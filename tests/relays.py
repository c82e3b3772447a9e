"""Relays on this machine: a port whose connections are led somewhere else."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress

from deploy.local.ports import LOOPBACK

BLOCK = 256 * 1024

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def relaying(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncGenerator[int]:
    """A port that gives each connection to `serve`, for the block. With a `context` it takes connections with TLS."""
    open_ends: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        open_ends.add(task)
        task.add_done_callback(open_ends.discard)
        with suppress(OSError, EOFError, asyncio.CancelledError), closing_at_once(writer):
            await serve(reader, writer)

    server = await asyncio.start_server(connected, LOOPBACK, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in open_ends:
            task.cancel()
        await asyncio.gather(*open_ends, return_exceptions=True)


async def pass_both_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Let a connection and one to `port` be the same, until one of them ends."""
    there, back = await asyncio.open_connection(LOOPBACK, port)
    with closing_at_once(back):
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))


@contextmanager
def closing_at_once(writer: asyncio.StreamWriter) -> Generator[None]:
    """Drop the connection after the block, without the farewell of TLS, which nobody may be there to answer."""
    try:
        yield
    finally:
        writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while block := await reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
    finally:
        # Both directions end together.
        writer.close()
