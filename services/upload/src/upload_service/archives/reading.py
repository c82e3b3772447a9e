"""Reading contents from the store, and from their verified replicas where the store fails."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from common import logging
from common.store import ObjectDamaged, ObjectMissing, StoreRefused, StoreUnavailable
from upload_service.content.model import Blob
from upload_service.mirrors import failover, restoring
from upload_service.mirrors.context import Context
from upload_service.mirrors.drivers import MirrorDown

_log = logging.get(__name__)


class Contents:
    """Reads the contents of one archive. Once the store was away, mirrors are asked first, so it is waited for once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._is_store_away = False

    async def read(self, blob: Blob, start: int, length: int) -> AsyncGenerator[bytes]:
        """`length` bytes of a blob from `start`, at least one. Raises `NoReplica` when nobody has them."""
        received = 0
        if not self._is_store_away:
            async with aclosing(self._from_store(blob, start, length)) as blocks:
                async for block in blocks:
                    received += len(block)
                    yield block
        if received == length:
            return
        rest = failover.read_in_place_of_store(self._context, blob, start + received, length - received)
        async with aclosing(rest) as blocks:
            async for block in blocks:
                yield block
        if not self._is_store_away:
            await restoring.restore_soon(self._context, blob)

    async def _from_store(self, blob: Blob, start: int, length: int) -> AsyncGenerator[bytes]:
        """The bytes as far as the store gives them."""
        store = self._context.store
        try:
            await store.check(blob.object_key, blob.size)
            async with aclosing(failover.patiently(store.read(blob.object_key, start, length))) as blocks:
                async for block in blocks:
                    yield block
        except (ObjectMissing, ObjectDamaged) as error:
            _log.error("the store has lost a content", blob=blob.id.hex, error=type(error).__name__)
        except (StoreUnavailable, StoreRefused, MirrorDown) as error:
            _log.warning("the store cannot serve a content", blob=blob.id.hex, error=error.code)
            self._is_store_away = True
