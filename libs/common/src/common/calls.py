"""HTTP calls between the services of this system: small JSON bodies, over connections that are kept.

aiohttp takes a fifth of the processor time of httpx, and a small request spends much of its time on such calls.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

SILENCE_SECONDS = 10
CONNECT_SECONDS = 3
CONNECTIONS = 200
IDLE_SECONDS = 4
"""A connection that was idle for so long is not used again: a service closes it after five seconds."""


class NoAnswer(Exception):
    """The other service did not answer."""


class ConnectionBroken(NoAnswer):
    """The connection broke before the answer was complete. The call may have had its effect."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a call."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The value of the body. Raises `ValueError`."""
        return json.loads(self.body)


class Calls:
    """The connections of a process to the other services. It connects with the first call."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, method: str, url: str, *, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to a request. `body`: a JSON value. Raises `NoAnswer`, `ConnectionBroken`."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS),
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        try:
            response = await self._session.request(method, url, json=body, headers=headers, allow_redirects=False)
            return Answer(response.status, await response.read())
        except (aiohttp.ClientConnectorError, TimeoutError) as error:
            raise NoAnswer from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionBroken from error

    async def aclose(self) -> None:
        if self._session:
            await self._session.close()
