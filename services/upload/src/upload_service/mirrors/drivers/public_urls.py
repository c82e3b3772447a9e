"""Replicas at URLs that an HTTP store named: read at public addresses alone."""

from collections.abc import AsyncIterator

from common.errors import InvalidInput
from common.outbound.client import AddressRefused, Outbound, RemoteRefused, RemoteUnavailable
from upload_service.mirrors.drivers.interface import MirrorDown, MirrorRefused, ReplicaLost

GONE = (404, 410)


class PublicUrls:
    """A `UrlReader` by the client for URLs that strangers name."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def read(self, url: str, start: int, length: int | None) -> AsyncIterator[bytes]:
        try:
            async for block in self._outbound.read(url, start, length):
                yield block
        except RemoteRefused as error:
            if error.status in GONE:
                raise ReplicaLost from None
            raise (MirrorDown if error.status >= 500 else MirrorRefused) from None
        except RemoteUnavailable:
            raise MirrorDown from None
        except (AddressRefused, InvalidInput):
            raise MirrorRefused from None
