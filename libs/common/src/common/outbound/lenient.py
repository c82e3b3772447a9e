"""Faults that the client forgives a server, because every other client does.

aiohttp's parser refuses an answer together with its head if more bytes follow the body in the same packet. So heads are
given to it line by line, and bytes after the end of the body not at all. Cookies are kept while one URL is followed.
"""

import asyncio
from typing import Any

import aiohttp
from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.streams import EMPTY_PAYLOAD
from yarl import URL

MOST_HEADERS = 1000
LONGEST_HEADER = 64 * 1024
HEAD_LIMIT = 1024 * 1024
"""The most bytes of all heads of one connection together: those of an answer and of the hints before it."""


class LenientConnector(aiohttp.TCPConnector):
    """Makes connections for one answer each, of which nothing but the answer is read."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, force_close=True)
        self._factory = lambda: _OneAnswer(asyncio.get_running_loop())


class _OneAnswer(ResponseHandler):
    """The client's side of one connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._head_size = 0

    def data_received(self, data: bytes) -> None:
        start = 0
        while start < len(data) and not self._has_body():
            end = data.find(b"\n", start) + 1 or len(data)
            self._head_size += end - start
            if self.exception() is not None:
                return
            if self._head_size > HEAD_LIMIT:
                self.set_exception(aiohttp.ClientPayloadError("the head of the answer is too long"))
                self.force_close()
                return
            super().data_received(data[start:end])
            start = end
        # Without data the parser goes on with what it has held back.
        if not data or (start < len(data) and not self._is_over()):
            super().data_received(data[start:] if start else data)
            self._pass_on()

    def _pass_on(self) -> None:
        """Tell the reader of the body at once that the rest of it is malformed."""
        error, body = self.exception(), self._payload
        if error and body and not body.is_eof() and body.exception() is None:
            body.set_exception(aiohttp.ClientPayloadError("the body is malformed"), error)

    def _has_body(self) -> bool:
        return self._payload is not None and self._payload is not EMPTY_PAYLOAD

    def _is_over(self) -> bool:
        return self._payload is not None and self._payload.is_eof()


class ChainCookies:
    """The cookies that answers have set on the way to one URL. Each is sent only to the host that set it."""

    def __init__(self) -> None:
        self._jar = aiohttp.CookieJar(unsafe=True)

    def keep(self, response: aiohttp.ClientResponse) -> None:
        for cookie in response.cookies.values():
            # A host must not choose what another one is sent.
            cookie["domain"] = ""
        self._jar.update_cookies(response.cookies, response.url)

    def headers(self, url: URL) -> dict[str, str]:
        """The header for a request, if there are cookies for it."""
        found = self._jar.filter_cookies(url).values()
        return {hdrs.COOKIE: "; ".join(f"{cookie.key}={cookie.coded_value}" for cookie in found)} if found else {}
