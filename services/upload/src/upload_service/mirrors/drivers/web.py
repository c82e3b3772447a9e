"""The HTTP client of the drivers that speak HTTP themselves."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from common import logging
from common.statuses import retry_after
from common.store import SizedBody
from upload_service.mirrors.drivers.bounds import bounded, cut, receiving
from upload_service.mirrors.drivers.interface import MirrorDown, ReplicaBrokenOff
from upload_service.mirrors.drivers.statuses import error_of

READ_BLOCK = 1024 * 1024
_log = logging.get(__name__)


class Web:
    """Requests to one mirror. They follow no redirect; their callers limit the time."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        """`headers` hold the credentials and are sent with every request."""
        self._headers = dict(headers)
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: str,
        *,
        body: SizedBody | None = None,
        headers: Mapping[str, str] | None = None,
        credentials: bool = True,
        expected: tuple[int, ...] = (),
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """The answer to a request. Raises the error that a status of 300 or more means, unless it is in `expected`."""
        sent = {**(self._headers if credentials else {}), **(headers or {})}
        if body is not None:
            sent |= {"Content-Length": str(body.size), "Content-Type": "application/octet-stream"}
        try:
            async with self._opened().request(method, url, data=body, headers=sent, allow_redirects=False) as response:
                if response.status >= 300 and response.status not in expected:
                    raise error_of(response.status, retry_after(response.headers.get("Retry-After")))
                yield response
        except (aiohttp.ClientError, OSError) as error:
            _log.debug("mirror_error", error=type(error).__name__)
            raise MirrorDown from None

    async def read(self, url: str, start: int, length: int | None, seconds: float) -> AsyncIterator[bytes]:
        """Read a URL as `Driver.read` promises; each block has `seconds` to arrive."""
        if length == 0:
            return
        headers: dict[str, str] = {}
        if start or length is not None:
            headers["Range"] = f"bytes={start}-" + ("" if length is None else str(start + length - 1))
        request = self.request("GET", url, headers=headers, expected=(416,))
        async with bounded(seconds):
            response = await request.__aenter__()
        try:
            if response.status == 416:
                return
            # A server that does not honour ranges answers with everything.
            skip = 0 if response.status == 206 else start
            async for block in cut(receiving(response.content.iter_any(), seconds), skip, length):
                yield block
        except (aiohttp.ClientError, OSError):
            raise ReplicaBrokenOff from None
        finally:
            await request.__aexit__(None, None, None)

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None),
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                headers={"Accept-Encoding": "identity"},
                read_bufsize=READ_BLOCK,
            )
        return self._session
