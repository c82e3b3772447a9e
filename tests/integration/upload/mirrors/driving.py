"""Reading and writing by a mirror's driver, for tests."""

import secrets
from collections.abc import AsyncIterator

from upload_service.mirrors.drivers import Driver, Place


def new_path() -> str:
    name = secrets.token_hex(16)
    return f"{name[:2]}/{name}"


async def blocks(content: bytes, size: int = 256 * 1024) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def content_of(driver: Driver, place: Place, start: int = 0, length: int | None = None) -> bytes:
    return b"".join([block async for block in driver.read(place, start, length)])


async def written(driver: Driver, path: str, content: bytes) -> Place:
    return Place(path, await driver.write(path, blocks(content), len(content)))
