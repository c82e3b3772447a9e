"""HTTP calls between the services of this system: small JSON bodies, over connections that are kept.

aiohttp takes a fifth of the processor time of httpx, and a small request spends much of its time on such calls.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp

from common.waiting import wait_until

SILENCE_SECONDS = 10
CONNECT_SECONDS = 3
CONNECTIONS = 200
IDLE_SECONDS = 4
"""A connection that was idle for so long is not used again: a service closes it after five seconds."""

NAME_SECONDS = 2
"""How long the address of a service is remembered. A replica that takes another's place has another."""


class NoAnswer(Exception):
    """The other service did not answer."""


class NotListening(NoAnswer):
    """No connection could be made, so the call has had no effect."""


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

    def __init__(self, patience: timedelta = timedelta(0)) -> None:
        """`patience`: how long a call waits for a service that does not listen, because it is being replaced."""
        self._patience = patience
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, method: str, url: str, *, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to a request. `body`: a JSON value. Raises `NotListening`, `ConnectionBroken`, `NoAnswer`."""

        async def attempt() -> Answer | NotListening:
            try:
                return await self._once(method, url, body, headers)
            except NotListening as error:
                return error

        answer = await wait_until(
            attempt, lambda found: isinstance(found, Answer), self._patience, first=0.1, longest=0.5
        )
        if isinstance(answer, NotListening):
            raise answer
        return answer

    async def _once(self, method: str, url: str, body: object, headers: Mapping[str, str] | None) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS),
                connector=aiohttp.TCPConnector(
                    limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS, ttl_dns_cache=NAME_SECONDS
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        try:
            response = await self._session.request(method, url, json=body, headers=headers, allow_redirects=False)
            return Answer(response.status, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotListening from error
        except TimeoutError as error:
            raise NoAnswer from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionBroken from error

    async def aclose(self) -> None:
        if self._session:
            await self._session.close()
