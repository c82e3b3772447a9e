"""Probes, which tell whether a program answers. Each is quick and leaves no connection behind."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy.local.ports import LOOPBACK

Probe = Callable[[], Awaitable[bool]]
SECONDS = 3.0


def http(port: int, path: str, host: str = LOOPBACK) -> Probe:
    """Whether GET is answered with 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()

    async def probe() -> bool:
        answer = await _ask(port, request, host)
        return answer.startswith(b"HTTP/1.1 200")

    return probe


def valkey(port: int, password: str) -> Probe:
    """Whether Valkey accepts the password and has loaded its data."""
    request = f"AUTH {password}\r\nPING\r\nQUIT\r\n".encode()

    async def probe() -> bool:
        return b"+PONG" in await _ask(port, request)

    return probe


def file(path: Path) -> Probe:
    """Whether a file exists."""

    async def probe() -> bool:
        return await asyncio.to_thread(path.exists)

    return probe


def postgres(pg_isready: Path, port: int) -> Probe:
    """Whether PostgreSQL accepts connections, after any recovery."""

    async def probe() -> bool:
        process = await asyncio.create_subprocess_exec(
            *(str(pg_isready), "--quiet", "--host", LOOPBACK, "--port", str(port), "--timeout", str(int(SECONDS))),
            env={},
        )
        return await process.wait() == 0

    return probe


async def _ask(port: int, request: bytes, host: str = LOOPBACK) -> bytes:
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request)
                return await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""
