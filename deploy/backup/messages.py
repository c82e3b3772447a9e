"""The messages of rooms, which live in Valkey until they expire.

Everything else there comes back by itself: sweeps request the tasks of the queue again, caches are filled, and limits
begin to count. A key is kept as Valkey's own dump, with the moment when it ends.
"""

import struct
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from common.valkey import client_options
from deploy.backup.errors import BackupError, Damaged

PATTERNS = ("room:*", "rooms:due", "account:*:posted")
OF_THE_MOMENT = (b":present", b":names")
"""The ends of keys that say who is connected."""
BATCH = 500
SECONDS = 60.0
_HEAD = struct.Struct(">IIq")


class OlderValkey(BackupError):
    """This Valkey is older than the one that the messages of rooms come from."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


async def dump(valkey_url: str, target: Path) -> int:
    """Write the keys of rooms to the file `target`; returns their number. Raises `BackupError`."""
    count = 0
    async with _client(valkey_url) as valkey:
        with target.open("wb") as file:
            for pattern in PATTERNS:
                keys: set[bytes] = {key async for key in valkey.scan_iter(match=pattern, count=BATCH)}
                for batch in _batches(key for key in keys if not key.endswith(OF_THE_MOMENT)):
                    count += await _dump_batch(valkey, batch, file)
    return count


def _batches(keys: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The keys in batches, with those of a room together, because a script changes several of them in one step."""
    batch: list[bytes] = []
    for _, group in groupby(sorted(keys, key=_room_of), _room_of):
        batch += group
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _room_of(key: bytes) -> bytes:
    return b":".join(key.split(b":")[:2])


async def _dump_batch(valkey: Redis, keys: list[bytes], file: BinaryIO) -> int:
    pipe = valkey.pipeline(transaction=True)
    for key in keys:
        pipe.dump(key)
        pipe.pexpiretime(cast("str", key))
    answers: list[Any] = await pipe.execute()
    count = 0
    for number, key in enumerate(keys):
        body, ends = answers[2 * number], answers[2 * number + 1]
        if body is not None:
            file.write(_HEAD.pack(len(key), len(body), max(ends, 0)) + key + body)
            count += 1
    return count


async def restore(valkey_url: str, source: Path) -> int:
    """Write the keys that have not ended; returns their number. Raises `OlderValkey`, `BackupError`."""
    count, now = 0, time.time() * 1000
    async with _client(valkey_url) as valkey:
        with source.open("rb") as file:
            for key, body, ends in _entries(file):
                if not ends or ends > now:
                    await valkey.restore(cast("str", key), ends, cast("str", body), replace=True, absttl=bool(ends))
                    count += 1
    return count


def _entries(file: BinaryIO) -> Iterator[tuple[bytes, bytes, int]]:
    while head := file.read(_HEAD.size):
        if len(head) < _HEAD.size:
            raise Damaged("the messages of rooms are damaged")
        key_size, body_size, ends = _HEAD.unpack(head)
        yield file.read(key_size), file.read(body_size), ends


@asynccontextmanager
async def _client(url: str) -> AsyncGenerator[Redis]:
    try:
        async with Redis.from_url(url, **client_options(SECONDS)) as valkey:
            yield valkey
    except ResponseError as error:
        if "version or checksum" in str(error):
            raise OlderValkey from None
        raise BackupError(f"Valkey: {error}") from None
    except RedisError as error:
        raise BackupError(f"Valkey: {error}") from None
