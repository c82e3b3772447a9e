"""The one HTTP client for URLs that strangers name.

Whoever names a URL must not reach with this system's hands what they cannot reach themselves. So each connection, of
each redirect too, goes to an address that was checked: a name is looked up once and all its addresses are judged, and
the address that a socket is made for is judged again, whatever form it had in the URL. No proxy, no cookie, no
connection kept for the next request; credentials go to the origin that they were given for, and to no other.

How much is read, and for how long in all, is the caller's to limit: a body is only as long as its reader reads.
"""

import asyncio
import re
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from common.addresses import Network
from common.errors import DomainError, Forbidden, InvalidInput, Unavailable
from common.outbound.addresses import may_connect
from common.outbound.urls import RemoteUrl, UrlInvalid, parse

CONNECT_SECONDS = 10
SLOWEST = 1024
"""Bytes a second that a body must bring on average while it is waited for."""
READ_BLOCK = 256 * 1024
"""Bytes that are read ahead of the caller, about."""

_REDIRECTS = (301, 302, 303, 307, 308)
# What a caller sends to the origin that it asked, and to no other.
_FOR_ONE_ORIGIN = ("authorization", "cookie", "proxy-authorization", "referer")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/(?:(\d{1,19})|\*)", re.ASCII)


class AddressRefused(Forbidden):
    """The URL leads to an address that is not in the public internet."""

    code = "address_refused"


class TooManyRedirects(InvalidInput):
    """The URL is redirected too many times."""

    code = "too_many_redirects"


class RemoteUnavailable(Unavailable):
    """The remote server cannot be reached, breaks off or does not go on."""

    code = "remote_unavailable"


class RemoteRefused(DomainError):
    """The remote server answered with something else than the content."""

    code = "remote_refused"

    def __init__(self, status: int) -> None:
        super().__init__(f"the remote server answered {status}")
        self.status = status


class Answer:
    """A successful answer (2xx) whose body is still to be read."""

    def __init__(self, response: aiohttp.ClientResponse, stall_seconds: float) -> None:
        self._response, self._stall = response, stall_seconds
        self._protocol = response.connection.protocol if response.connection else None
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        """Names are found in any case. A `Content-Encoding` is still on the body."""
        self.url = str(response.url)
        """Where the content was found in the end, without user and password."""
        self.length = None if "Transfer-Encoding" in response.headers else response.content_length
        """Announced bytes of this body, or None."""
        self.start = 0
        """Where this body begins in the whole content: not 0 only in an answer to a range (206)."""
        self.size = self.length
        """Announced bytes of the whole content, or None."""
        if self.status == 206:
            match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
            if match is None:
                raise RemoteUnavailable("the remote server does not say which range it sends")
            self.start, self.size = int(match[1]), int(match[2]) if match[2] else None

    async def blocks(self) -> AsyncIterator[bytes]:
        """The body as it comes.

        Raises `RemoteUnavailable` when it ends too early, is malformed, stops coming or comes too slowly.
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
            # Only waiting counts, not what the caller does with what came.
            waited, received = waited + time.monotonic() - begun, received + len(block)
            if waited >= self._stall:
                if received < SLOWEST * waited:
                    raise RemoteUnavailable("the remote server sends too slowly")
                waited, received = 0.0, 0
            yield block

    def _check_end(self) -> None:
        """Raise `RemoteUnavailable` when the end of the connection, which alone tells the body's end, was none."""
        is_told = self.length is not None or "Transfer-Encoding" in self.headers
        if not is_told and self._protocol is not None and isinstance(self._protocol.exception(), OSError):
            raise RemoteUnavailable("the remote server broke off")


class Outbound:
    """Fetches from public addresses, and from no others but those of `allowed` networks."""

    def __init__(
        self,
        *,
        allowed: tuple[Network, ...] = (),
        stall_seconds: float = 30,
        redirects: int = 10,
        resolver: AbstractResolver | None = None,
    ) -> None:
        """`stall_seconds`: how long nothing may arrive; all until the headers of the content may take twice as long.

        `resolver` looks names up instead of the system's.
        """
        self._allowed, self._stall, self._redirects = allowed, stall_seconds, redirects
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        connector = aiohttp.TCPConnector(
            resolver=_JudgingResolver(self._resolver or aiohttp.ThreadedResolver(), self._allowed),
            socket_factory=self._new_socket,
            use_dns_cache=False,
            force_close=True,
            limit=0,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            headers={"User-Agent": "Waystation", "Accept-Encoding": "identity"},
            read_bufsize=READ_BLOCK,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=self._stall),
        )

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str] = {}) -> AsyncGenerator[Answer]:
        """The answer to a GET of `url`, redirects followed; a user and password in it go to its own origin only.

        Leaving the context closes the connection, whatever is left of the body. Raises `UrlInvalid`, `AddressRefused`,
        `TooManyRedirects`, `RemoteUnavailable`, or `RemoteRefused` when the last answer is not a success.
        """
        with _failures():
            async with asyncio.timeout(2 * self._stall):
                response = await self._follow(parse(url), headers)
        try:
            if not 200 <= response.status < 300:
                raise RemoteRefused(response.status)
            yield Answer(response, self._stall)
        finally:
            response.close()

    async def read(self, url: str, start: int, length: int | None) -> AsyncIterator[bytes]:
        """`length` bytes of the content at `url` from `start`, or all from there; also of a server without ranges.

        Raises what `get` raises; `RemoteUnavailable` too when the content ends before `length` bytes of it.
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
        """The first answer that leads nowhere else. Credentials in a `Location` are nobody's here and are dropped."""
        assert self._session is not None, "the client is not open"
        if target.authorization:
            headers = {**_without(headers, "authorization"), "Authorization": target.authorization}
        for _ in range(self._redirects + 1):
            response = await self._session.get(target.url, headers=headers, allow_redirects=False)
            location = response.headers.get("Location") if response.status in _REDIRECTS else None
            if not location:
                return response
            response.close()
            following = _following(target, location)
            if following.origin != target.origin:
                # For good: whoever redirects back may choose the path that the credentials would open.
                headers = _without(headers, *_FOR_ONE_ORIGIN)
            target = following
        raise TooManyRedirects

    def _new_socket(self, info: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
        """A socket for the very address that it is to be connected to."""
        family, kind, protocol, _, address = info
        _judge(str(address[0]), self._allowed)
        return socket.socket(family, kind, protocol)


class _JudgingResolver(AbstractResolver):
    """Looks a name up, and refuses it when any of its addresses is refused."""

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
    """Where a redirect leads. Raises `UrlInvalid`."""
    try:
        return parse(urljoin(str(target.url), location))
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
    """Errors of the HTTP client as those of this module, without the URL that its messages quote: it may be secret."""
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
