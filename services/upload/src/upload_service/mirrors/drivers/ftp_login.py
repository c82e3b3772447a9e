"""Signing in to an FTP server, once (RFC 959, sections 4.2 and 5.4).

OpenDAL signs in again and again until half a minute is over, whatever the server says. Servers that answer a wrong
password only after some seconds would seem to be down, and may lock us out.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from upload_service.mirrors.drivers.interface import MirrorDown, MirrorRefused

PORT = 21
MOST_LINES = 200
"""A greeting may be long."""


async def sign_in(options: Mapping[str, str]) -> None:
    """Raise `MirrorDown` or `MirrorRefused` unless the server takes our credentials. The caller limits the time."""
    address = urlsplit(options["endpoint"])
    try:
        reader, writer = await asyncio.open_connection(address.hostname, address.port or PORT)
    except OSError:
        raise MirrorDown from None
    try:
        await _answer(reader)
        for command in (f"USER {options['user']}", f"PASS {options['password']}"):
            writer.write(f"{command}\r\n".encode())
            code = await _answer(reader)
            if code.startswith("2"):
                writer.write(b"QUIT\r\n")
                return
        raise MirrorRefused
    except (OSError, ValueError):
        # A line that is too long is a ValueError.
        raise MirrorDown from None
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> str:
    """The code of the next answer. Raises `MirrorRefused` for one that refuses, `MirrorDown` for all but good ones."""
    code = (line := await reader.readline())[:3].decode("latin-1")
    for _ in range(MOST_LINES):
        # All lines but the last of an answer have a hyphen after the code, or no code.
        if not line or (line.startswith(code.encode("latin-1")) and line[3:4] != b"-"):
            break
        line = await reader.readline()
    if not line or code[:1] not in ("2", "3", "5"):
        raise MirrorDown
    if code.startswith("5"):
        raise MirrorRefused
    return code
