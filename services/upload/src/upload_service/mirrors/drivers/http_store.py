"""A store that takes a file by POST and answers with its URL, as Mirage's external store does.

The URL comes from a stranger's answer. This module reads what is on the mirror's own origin, which the administrator
chose; everything else is read by `Rules.urls`, which only connects to public addresses.
"""

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from datetime import datetime
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

import aiohttp

from upload_service.mirrors.drivers.bounds import bounded, receiving, sending
from upload_service.mirrors.drivers.interface import Driver, MirrorDown, MirrorRefused, Place, ReplicaLost, Rules
from upload_service.mirrors.drivers.web import Web

MAX_ANSWER = 64 * 1024
MAX_URL = 2048
_PORTS = {"http": 80, "https": 443}


def driver_of(kind: str, options: Mapping[str, str], rules: Rules) -> Driver:
    return HttpDriver(options, rules)


class HttpDriver:
    """A store that names each file by a URL of its own choice."""

    def __init__(self, options: Mapping[str, str], rules: Rules) -> None:
        self._url = options["url"]
        self._url_field = options.get("url_field")
        self._ping_url = options.get("ping_url")
        self._deletes = options.get("delete_method", "none") == "DELETE"
        self._origin = _origin(urlsplit(self._url))
        self._seconds, self._urls = rules.stall_seconds, rules.urls
        token = options.get("token")
        self._web = Web({"Authorization": f"Bearer {token}"} if token else {})

    @property
    def can_delete(self) -> bool:
        return self._deletes

    async def write(self, path: str, blocks: AsyncIterable[bytes], size: int) -> str | None:
        headers = {"Idempotency-Key": path}
        async with (
            sending(blocks, size, self._seconds) as body,
            self._web.request("POST", self._url, body=body, headers=headers) as response,
        ):
            return self._url_in(await _text(response))

    async def read(self, place: Place, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        if place.url is None:
            raise ReplicaLost
        if self._is_own(_split(place.url)):
            blocks = self._web.read(place.url, start, length, self._seconds)
        elif self._urls is not None:
            blocks = receiving(self._urls.read(place.url, start, length), self._seconds)
        else:
            raise MirrorRefused("the mirror keeps its files elsewhere")
        async for block in blocks:
            yield block

    async def delete(self, place: Place) -> None:
        """Remove it if the store can and it is on the store's own origin; otherwise it is only forgotten here."""
        if not self._deletes or place.url is None or not self._is_own(_split(place.url)):
            return
        async with bounded(self._seconds), self._web.request("DELETE", place.url, expected=(404, 410)):
            pass

    async def remove_left(self, before: datetime) -> int:
        """Nothing: such a store does not tell what it has."""
        return 0

    async def check(self) -> None:
        """Ask the `ping_url`. Without one, nothing shows whether the store takes the token, so this only connects."""
        async with bounded(self._seconds):
            if self._ping_url:
                own = self._is_own(urlsplit(self._ping_url))
                async with self._web.request("GET", self._ping_url, credentials=own, expected=(404, 410)) as response:
                    if response.status >= 400:
                        raise MirrorRefused("the mirror has nothing at its ping_url")
            else:
                await self._connect()

    async def close(self) -> None:
        await self._web.close()

    async def _connect(self) -> None:
        scheme, host, port = self._origin
        try:
            _, writer = await asyncio.open_connection(host, port, ssl=scheme == "https" or None)
            writer.close()
            await writer.wait_closed()
        except OSError:
            raise MirrorDown from None

    def _url_in(self, answer: str) -> str:
        url = answer.strip()
        if self._url_field:
            try:
                url = cast("dict[str, Any]", json.loads(answer))[self._url_field]
            except (ValueError, TypeError, LookupError, RecursionError):
                raise MirrorRefused("the mirror's answer holds no URL") from None
        if not isinstance(url, str):
            raise MirrorRefused("the mirror's answer holds no URL")
        _split(url)
        return url

    def _is_own(self, parts: SplitResult) -> bool:
        return _origin(parts) == self._origin


def _split(url: str) -> SplitResult:
    """The components of a URL that a mirror gave. Raises `MirrorRefused` unless it is a plain http or https URL."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in _PORTS and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise MirrorRefused("the mirror gave something other than a URL") from None
    plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if not valid or not plain or len(url) > MAX_URL or "@" in parts.netloc:
        raise MirrorRefused("the mirror gave something other than a URL")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 6454, section 4)."""
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS[parts.scheme]


async def _text(response: aiohttp.ClientResponse) -> str:
    answer = bytearray()
    async for block in response.content.iter_any():
        answer += block
        if len(answer) > MAX_ANSWER:
            raise MirrorRefused("the mirror's answer is no URL: it is too long")
    return answer.decode(errors="replace")
