"""TLS for PostgreSQL's programs: those of the wheel have none, so a relay on this machine speaks it for them."""

import asyncio
import ssl
import struct
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress

from common.store.limits import MIB

SSL_REQUEST = struct.pack(">II", 8, 80877103)
"""The message by which PostgreSQL is asked for TLS; `S` is its consent."""
AUTHENTICATION, SASL, BOUND_TO_TLS = b"R", (10).to_bytes(4), b"SCRAM-SHA-256-PLUS\0"
UNPROTECTED = {"", "disable", "allow", "prefer"}
"""Modes in which a connection without TLS is allowed."""
LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def relayed(variables: Mapping[str, str]) -> AsyncGenerator[dict[str, str]]:
    """The variables of libpq by which a program without TLS reaches a server that demands it, for the block."""
    if variables.get("PGSSLMODE", "") in UNPROTECTED:
        yield dict(variables)
        return
    host, port = variables.get("PGHOST", "localhost"), int(variables.get("PGPORT", "5432"))
    context = _context(variables)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ExceptionGroup):
            there, back = await _open(host, port, context)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass_on(reader, back))
                await _pass_demand_on(there, writer)
                group.create_task(_pass_on(there, writer))
        writer.close()

    server = await asyncio.start_server(relay, LOOPBACK, 0)
    async with server:
        own = str(server.sockets[0].getsockname()[1])
        yield {**variables, "PGHOST": LOOPBACK, "PGPORT": own, "PGSSLMODE": "disable"}


def _context(variables: Mapping[str, str]) -> ssl.SSLContext:
    """The demands on the server's certificate, as libpq reads them."""
    mode, file = variables["PGSSLMODE"], variables.get("PGSSLROOTCERT")
    context = ssl.create_default_context(cafile=None if file in {None, "system"} else file)
    if cert := variables.get("PGSSLCERT"):
        context.load_cert_chain(cert, variables.get("PGSSLKEY"))
    context.check_hostname = mode == "verify-full"
    if mode == "require" and file is None:
        context.verify_mode = ssl.CERT_NONE
    return context


async def _open(host: str, port: int, context: ssl.SSLContext) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the server with TLS. Raises `OSError`."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(SSL_REQUEST)
    if await reader.read(1) != b"S":
        writer.close()
        raise ConnectionError("the server has no TLS")
    await writer.start_tls(context, server_hostname=host)
    return reader, writer


async def _pass_demand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on the server's demand for a proof of the password, the first message, without the kind that needs TLS."""
    with suppress(asyncio.IncompleteReadError):
        head = await reader.readexactly(5)
        body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
        if head[:1] == AUTHENTICATION and body.startswith(SASL):
            body = body.replace(BOUND_TO_TLS, b"", 1)
        writer.write(head[:1] + (len(body) + 4).to_bytes(4) + body)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while block := await reader.read(MIB):
            writer.write(block)
            await writer.drain()
    finally:
        # Both directions end together: a program of PostgreSQL ends a connection as a whole.
        writer.close()
