"""Any S3 server.

The object store's own client writes and reads: it streams, follows no redirect, and aborts the parts of a write that
broke off, which OpenDAL's binding would leave behind, invisible and paid for.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager

import opendal

from common import logging
from common.errors import DomainError, StorageFull, TooLarge, Unavailable
from common.store import ObjectMissing, SizedBody, StoreUnavailable
from common.store.limits import MIB
from common.store.s3 import S3Store
from upload_service.mirrors.drivers.bounds import receiving, sending
from upload_service.mirrors.drivers.interface import (
    Driver,
    MirrorDown,
    MirrorError,
    MirrorFull,
    MirrorRefused,
    Place,
    ReplicaLost,
    ReplicaTooLarge,
    Rules,
)
from upload_service.mirrors.drivers.opendal_base import OpenDalDriver, operator_of

ONE_PUT = 1024 * MIB
"""Up to this size an object is written by one request, which leaves nothing to abort."""
_log = logging.get(__name__)


def driver_of(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    return S3Driver(operator_of(kind, options), options, rules)


class S3Driver(OpenDalDriver):
    """A bucket, or one prefix in it."""

    def __init__(self, operator: opendal.AsyncOperator, options: Mapping[str, str], rules: Rules) -> None:
        super().__init__(operator, rules)
        root = options.get("root", "").strip("/")
        self._prefix = f"{root}/" if root else ""
        self._store = S3Store(
            options["endpoint"],
            region=options["region"],
            bucket=options["bucket"],
            access_key=options["access_key_id"],
            secret_key=options["secret_access_key"],
            bucket_in_host=options.get("enable_virtual_host_style") == "true",
            silence_seconds=rules.stall_seconds,
        )
        self._is_open = False

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        store, key = await self._opened(), self._prefix + path
        async with sending(blocks, size, self._seconds) as body, _translated():
            if size <= ONE_PUT:
                await store.put(key, body, size)
            else:
                await store.write_stream(key, _Certain(body), on_multipart=_unrecorded)

    async def read(self, place: Place, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        if length == 0:
            return
        store = await self._opened()
        # OpenDAL would follow a redirect to wherever it leads.
        blocks = store.read(self._prefix + place.path, start, length)
        async with _translated():
            async for block in receiving(blocks, self._seconds):
                yield block

    async def close(self) -> None:
        await self._store.close()

    async def _opened(self) -> S3Store:
        if not self._is_open:
            self._is_open = True
            await self._store.open()
        return self._store


class _Certain:
    """A body of known length, so that the writer need not collect bytes beyond the last part."""

    def __init__(self, body: SizedBody) -> None:
        self._body, self._left = body, body.size

    def certain(self) -> int:
        return self._left

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._body:
            self._left -= len(block)
            yield block


async def _unrecorded(_: str) -> None:
    """Keep no record: the bucket's lifecycle rule removes the parts that a killed process leaves."""


@asynccontextmanager
async def _translated() -> AsyncGenerator[None]:
    try:
        yield
    except MirrorError:
        raise
    except DomainError as error:
        _log.debug("mirror_error", error=error.code)
        raise _meaning(error) from None


def _meaning(error: DomainError) -> MirrorError:
    if isinstance(error, ObjectMissing):
        return ReplicaLost()
    if isinstance(error, StorageFull):
        return MirrorFull()
    if isinstance(error, TooLarge):
        return ReplicaTooLarge()
    if isinstance(error, StoreUnavailable):
        return MirrorDown(retry_after=error.asked)
    if isinstance(error, Unavailable):
        return MirrorDown()
    return MirrorRefused()
