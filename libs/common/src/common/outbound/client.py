"""The only HTTP client for URLs that users supply.

Users must not be able to use this system to reach servers that they cannot reach themselves. So every connection,
including those of redirects, goes to a checked address: a name is looked up once and all its addresses are checked, and
the address is checked again when its socket is created, in case the URL contains an address in an unusual form. The
client uses no proxy and does not reuse connections; credentials are sent only to the origin that they were given for,
and cookies only to the host that set them on the way to the same URL.

The caller limits the length of a body and the total time: a body is read only as far as its reader asks.
"""

import asyncio
import re
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from common import tracing
from common.addresses import Network
from common.errors import DomainError, Forbidden, InvalidInput, Unavailable
from common.outbound.addresses import may_connect
from common.outbound.lenient import LONGEST_HEADER, MOST_HEADERS, ChainCookies, LenientConnector
from common.outbound.urls import RemoteUrl, UrlInvalid, parse, with_escapes
from common.statuses import retry_after

CONNECT_SECONDS = 10
SLOWEST = 1024
"""The lowest allowed average speed of a body, in bytes per second of waiting."""
READ_BLOCK = 256 * 1024
"""The number of bytes, approximately, that are read before the caller asks for them."""

_REDIRECTS = (301, 302, 303, 307, 308)
# Headers that are sent only to the origin of the URL.
_FOR_ONE_ORIGIN = ("authorization", "cookie", "proxy-authorization", "referer")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/(?:(\d{1,19})|\*)", re.ASCII)


class AddressRefused(Forbidden):
    """The URL leads to an address outside the public internet."""

    code = "address_refused"


class TooManyRedirects(InvalidInput):
    """The URL is redirected too many times."""

    code = "too_many_redirects"


class RemoteUnavailable(Unavailable):
    """The remote server cannot be reached, or its answer broke off or stalled."""

    code = "remote_unavailable"


class RemoteRefused(DomainError):
    """The remote server did not answer with the content."""

    code = "remote_refused"

    def __init__(self, status: int, retry_after: timedelta | None = None) -> None:
        super().__init__(f"the remote server answered {status}")
        self.status = status
        self.retry_after = retry_after
        """The time after which the server wants to be asked again, if it names one."""


class Answer:
    """A successful answer (2xx) whose body is still to be read."""

    def __init__(self, response: aiohttp.ClientResponse, stall_seconds: float) -> None:
        self._response, self._stall = response, stall_seconds
        self._protocol = response.connection.protocol if response.connection else None
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        """The headers; names match in any case. The body is still encoded with its `Content-Encoding`."""
        self.url = str(response.url)
        """The URL after all redirects, without user and password."""
        self.length = None if "Transfer-Encoding" in response.headers else response.content_length
        """The announced length of this body in bytes, or None."""
        self.start = 0
        """The offset of this body in the whole content: 0 unless the answer is to a range (206)."""
        self.size = self.length
        """The announced length of the whole content in bytes, or None."""
        if self.status == 206:
            match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
            if match is None:
                raise RemoteUnavailable("the remote server does not say which range it sends")
            self.start, self.size = int(match[1]), int(match[2]) if match[2] else None

    async def blocks(self) -> AsyncIterator[bytes]:
        """The body in blocks, as they arrive.

        Raises `RemoteUnavailable` if it ends early, is malformed, stalls or is too slow.
        """
        waited, received = 0.0, 0
        while True:
            begun = time.monotonic()
            with _failures():
                async with asyncio.timeout(self._stall):
                    block = await self._response.content.readany()
            if not block:
                self._check_end()
                return
            # Only the time spent waiting counts, not the time that the caller takes for a block.
            waited, received = waited + time.monotonic() - begun, received + len(block)
            if waited >= self._stall:
                if received < SLOWEST * waited:
                    raise RemoteUnavailable("the remote server sends too slowly")
                waited, received = 0.0, 0
            yield block

    def _check_end(self) -> None:
        """Raise `RemoteUnavailable` if the body has no announced length and its connection broke instead of ending."""
        is_marked = self.length is not None or "Transfer-Encoding" in self.headers
        if not is_marked and self._protocol is not None and isinstance(self._protocol.exception(), OSError):
            raise RemoteUnavailable("the remote server broke off")


class Outbound:
    """Sends requests to public addresses and to those in `allowed` networks."""

    def __init__(
        self,
        *,
        allowed: tuple[Network, ...] = (),
        stall_seconds: float = 30,
        redirects: int = 10,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """`stall_seconds`: the longest time without data; connecting, redirects and headers may take twice as long.

        `resolver` replaces the system's resolver.
        """
        self._allowed, self._stall, self._redirects = allowed, stall_seconds, redirects
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        connector = LenientConnector(
            resolver=_JudgingResolver(self._resolver or aiohttp.ThreadedResolver(), self._allowed),
            socket_factory=self._new_socket,
            use_dns_cache=False,
            limit=0,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers={"User-Agent": "Waystation", "Accept-Encoding": "identity"},
            read_bufsize=READ_BLOCK,
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
            max_headers=MOST_HEADERS,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=self._stall),
        )

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str] = {}) -> AsyncGenerator[Answer]:
        """The answer to a GET of `url` after redirects. A user and password in the URL go to its own origin only.

        Leaving the context closes the connection, even if the body was not read to its end. Raises `UrlInvalid`,
        `AddressRefused`, `TooManyRedirects`, `RemoteUnavailable`, or `RemoteRefused` when the last answer is not a
        success.
        """
        with _failures():
            async with asyncio.timeout(2 * self._stall):
                response = await self._follow(parse(url), headers)
        try:
            if not 200 <= response.status < 300:
                raise RemoteRefused(response.status, retry_after(response.headers.get("Retry-After")))
            yield Answer(response, self._stall)
        finally:
            response.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send `body` to `url`, and wait for the status of the answer. Redirects are not followed.

        Raises `UrlInvalid`, `AddressRefused`, `RemoteUnavailable`, or `RemoteRefused` for anything but a success.
        """
        assert self._session is not None, "the client is not open"
        target = parse(url)
        if target.authorization:
            headers = {**headers, "Authorization": target.authorization}
        with _failures():
            async with asyncio.timeout(self._stall):
                response = await self._session.post(target.url, data=body, headers=headers, allow_redirects=False)
        response.close()
        if not 200 <= response.status < 300:
            raise RemoteRefused(response.status, retry_after(response.headers.get("Retry-After")))

    async def read(self, url: str, start: int, length: int | None) -> AsyncIterator[bytes]:
        """Read `length` bytes, or all, of the content at `url` from offset `start`, even if the server ignores ranges.

        Raises the errors of `get`, and `RemoteUnavailable` if the content ends too early.
        """
        if length == 0:
            return
        end = None if length is None else start + length
        headers = {"Range": f"bytes={start}-{'' if end is None else end - 1}"} if start or end else {}
        async with self.get(url, headers) as answer:
            position = answer.start
            if position > start:
                raise RemoteUnavailable("the remote server sends another range than asked")
            async for block in answer.blocks():
                wanted = block[max(0, start - position) : None if end is None else max(0, end - position)]
                position += len(block)
                if wanted:
                    yield wanted
                if end is not None and position >= end:
                    return
        if end is not None:
            raise RemoteUnavailable("the content is shorter than the range asked")

    async def _follow(self, target: RemoteUrl, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """Follow redirects and return the first answer that is not one. Credentials in a `Location` are ignored."""
        assert self._session is not None, "the client is not open"
        if target.authorization:
            headers = {**_without(headers, "authorization"), "Authorization": target.authorization}
        cookies = ChainCookies()
        for _ in range(self._redirects + 1):
            sent = {**headers, **cookies.headers(target.url)}
            with tracing.step("GET elsewhere", "client", {"http.request.method": "GET"}) as step:
                response = await self._session.get(target.url, headers=sent, allow_redirects=False)
                step.note("http.response.status_code", response.status)
            location = response.headers.get("Location") if response.status in _REDIRECTS else None
            if not location:
                return response
            cookies.keep(response)
            response.close()
            following = _following(target, location)
            if following.origin != target.origin:
                # They are not sent again even if the other server redirects back, because it would choose the path.
                headers = _without(headers, *_FOR_ONE_ORIGIN)
            target = following
        raise TooManyRedirects

    def _new_socket(self, info: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
        """A socket for exactly the address that was checked."""
        family, kind, protocol, _, address = info
        _judge(str(address[0]), self._allowed)
        return socket.socket(family, kind, protocol)


class _JudgingResolver(AbstractResolver):
    """Looks up a name, and refuses it if one of its addresses may not be connected to."""

    def __init__(self, resolver: AbstractResolver, allowed: tuple[Network, ...]) -> None:
        self._resolver, self._allowed = resolver, allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        results = await self._resolver.resolve(host, port, family)
        if not results:
            raise OSError("the name has no address")
        for result in results:
            _judge(result["host"], self._allowed)
        return results

    async def close(self) -> None:
        await self._resolver.close()


def _following(target: RemoteUrl, location: str) -> RemoteUrl:
    """The target of a redirect. Raises `UrlInvalid`."""
    try:
        return parse(urljoin(str(target.url), with_escapes(location)))
    except ValueError:
        raise UrlInvalid from None


def _without(headers: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in names}


def _judge(text: str, allowed: tuple[Network, ...]) -> None:
    """Raise `AddressRefused` unless `text` is an address in its usual form that may be connected to."""
    try:
        address = ip_address(text)
    except ValueError:
        raise AddressRefused from None
    if not may_connect(address, allowed):
        raise AddressRefused


@contextmanager
def _failures() -> Generator[None]:
    """Turn errors of the HTTP client into those of this module, without the URL, which may hold a secret."""
    try:
        yield
    except (aiohttp.InvalidURL, UnicodeError):
        raise UrlInvalid from None
    except aiohttp.ClientConnectorDNSError:
        raise RemoteUnavailable("the name of the remote server does not resolve") from None
    except TimeoutError:
        raise RemoteUnavailable("the remote server does not answer in time") from None
    except aiohttp.ClientConnectorCertificateError:
        raise RemoteUnavailable("the certificate of the remote server is not valid") from None
    except aiohttp.ClientConnectorError:
        raise RemoteUnavailable("the remote server cannot be connected to") from None
    except (aiohttp.ClientError, OSError):
        raise RemoteUnavailable("the remote server broke off or does not speak HTTP") from None
