"""Replicas at URLs of other origins, named by an HTTP store: they are read at public addresses only."""

from collections.abc import AsyncIterator

from common.errors import InvalidInput
from common.outbound.client import AddressRefused, Outbound, RemoteRefused, RemoteUnavailable
from upload_service.mirrors.drivers.interface import MirrorDown, MirrorRefused
from upload_service.mirrors.drivers.statuses import error_of


class PublicUrls:
    """A `UrlReader` that uses the client for URLs from strangers."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def read(self, url: str, start: int, length: int | None) -> AsyncIterator[bytes]:
        try:
            async for block in self._outbound.read(url, start, length):
                yield block
        except RemoteRefused as error:
            raise error_of(error.status, error.retry_after) from None
        except RemoteUnavailable:
            raise MirrorDown from None
        except (AddressRefused, InvalidInput):
            raise MirrorRefused from None
