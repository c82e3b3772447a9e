"""Replicas at URLs that an HTTP store named: read at public addresses alone."""

from collections.abc import AsyncIterator

from common.errors import InvalidInput
from common.http.outbound import AddressRefused, Outbound, RemoteRefused, RemoteUnavailable
from upload_service.drivers.interface import MirrorDown, MirrorRefused, ReplicaLost

GONE = (404, 410)


class PublicUrls:
    """A `UrlReader` by the client for URLs that strangers name."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def read(self, url: str, start: int, length: int | None) -> AsyncIterator[bytes]:
        if length == 0:
            return
        headers = {"Range": f"bytes={start}-{'' if length is None else start + length - 1}"} if start or length else {}
        try:
            async with self._outbound.get(url, headers) as answer:
                position, end = answer.start, None if length is None else start + length
                async for block in answer.blocks():
                    wanted = block[max(0, start - position) : None if end is None else max(0, end - position)]
                    position += len(block)
                    if wanted:
                        yield wanted
                    if end is not None and position >= end:
                        return
        except RemoteRefused as error:
            if error.status in GONE:
                raise ReplicaLost from None
            raise (MirrorDown if error.status >= 500 else MirrorRefused) from None
        except RemoteUnavailable:
            raise MirrorDown from None
        except (AddressRefused, InvalidInput):
            raise MirrorRefused from None
