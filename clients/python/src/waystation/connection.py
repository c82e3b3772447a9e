"""Calls to a server: requests, their errors, and another try where that can help.

A credential goes to the server alone: redirects are not followed, and addresses in answers are reduced to their ids.
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from waystation.errors import (
    BadAnswer,
    Conflict,
    Limited,
    NotAllowed,
    NotFound,
    NotReady,
    NotSignedIn,
    PasswordNeeded,
    PasswordWrong,
    Refused,
    ServerFull,
    Temporary,
    UnknownCode,
    Unreachable,
    Unusable,
    WaystationError,
)
from waystation.retrying import Attempts, retry_after

CONNECT_SECONDS = 10
ANSWER_SECONDS = 90
WRITE_SECONDS = 60
BY_CODE: dict[str, type[Refused]] = {
    "unknown_code": UnknownCode,
    "share_ended": UnknownCode,
    "password_needed": PasswordNeeded,
    "password_missing": PasswordNeeded,
    "password_wrong": PasswordWrong,
}
BY_STATUS: dict[int, type[Refused]] = {
    401: NotSignedIn,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    413: ServerFull,
    507: ServerFull,
}
NOT_READY = (408, 421, 423, 425)
"""Statuses after which the same may succeed soon."""

Headers = Mapping[str, str | bytes]


class Connection:
    """The connections to one server. `patience`: how many seconds to go on trying while nothing gets further."""

    def __init__(
        self,
        server: str,
        token: str | None = None,
        *,
        patience: float = 120,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.server = checked_server(server)
        self.token = token
        self.patience = patience
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS, write=WRITE_SECONDS, pool=None)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=3)
        self._http = httpx.AsyncClient(
            base_url=self.server,
            timeout=timeout,
            limits=limits,
            verify=_trusted(self.server),
            transport=transport,
            headers={"User-Agent": "waystation-client", "Accept-Encoding": "identity"},
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    def attempts(self) -> Attempts:
        return Attempts(self.patience)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Headers | None = None,
        content: AsyncIterable[bytes] | bytes | None = None,
        json: Any = None,
    ) -> AsyncGenerator[httpx.Response]:
        """The answer to one attempt, before its body is read. Raises `WaystationError`."""
        sent = [(name.encode(), _encoded(value)) for name, value in {**self._credentials(), **(headers or {})}.items()]
        try:
            async with self._http.stream(
                method, path, params=params, headers=sent, content=content, json=json
            ) as response:
                if not response.is_success:
                    await response.aread()
                    raise error_of(response)
                yield response
        except httpx.TransportError as error:
            raise Unreachable(f"the connection to {self.server} failed ({type(error).__name__})") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BadAnswer(f"{self.server} cannot be talked to ({type(error).__name__})") from None

    async def once(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """The whole answer to one attempt."""
        async with self.stream(method, path, **sent) as response:
            await response.aread()
            return response

    async def request(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """The whole answer. Tried again when that may help, so only for what may be done twice."""
        attempts = self.attempts()
        while True:
            try:
                return await self.once(method, path, **sent)
            except Temporary as error:
                await attempts.pause(error)

    async def json(self, method: str, path: str, **sent: Any) -> Any:
        """The JSON of the answer; as `request`."""
        return read_json(await self.request(method, path, **sent))

    def _credentials(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def _trusted(server: str) -> ssl.SSLContext | bool:
    """The certificates that are trusted: those of the system, or none where there is no TLS. Loading them is slow."""
    return True if server.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def checked_server(text: str) -> str:
    """The address of a server, without a slash at its end. Raises `Unusable`."""
    address = text.strip()
    if "://" not in address:
        address = f"http://{address}" if address.startswith(("localhost", "127.", "[::1]")) else f"https://{address}"
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable or "@" in address:
        raise Unusable("The server is not an address such as https://files.example.org")
    return address.rstrip("/")


def _encoded(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("ascii")


def read_json(response: httpx.Response) -> Any:
    """The JSON of an answer. Raises `BadAnswer`."""
    try:
        return response.json()
    except ValueError:
        raise BadAnswer from None


def error_of(response: httpx.Response) -> WaystationError:
    """The error that an answer with a status of one stands for."""
    status, code, detail = response.status_code, "", ""
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        code, detail = str(body.get("code") or ""), str(body.get("detail") or body.get("message") or "")
    pause = retry_after(response.headers.get("retry-after"))
    if code in BY_CODE:
        return BY_CODE[code](None, status, code)
    if status == 429:
        when = f" Try again in {pause:.0f} seconds." if pause else ""
        return Limited(f"There were too many attempts.{when}", pause)
    if status in NOT_READY or (status >= 500 and status not in (501, 505, 507)):
        error = NotReady(detail or f"the server answers {status}")
        error.retry_after, error.code = pause, code or error.code
        return error
    kind = BY_STATUS.get(status, Refused)
    if kind is Refused:
        detail = detail or f"The server refuses this (status {status})."
    return kind(detail if kind is not NotSignedIn else None, status, code or None)
