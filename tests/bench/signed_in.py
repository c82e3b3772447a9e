"""Measures the cost of recognising the caller, by the same small request with and without a token.

The requests take turns on one connection that is kept open.
"""

import http.client
import json
import secrets
import statistics
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.bench.wire import RequestFailed, send_file

ROUND = 400
"""Requests of each kind in one round."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The milliseconds of a request in each round: the median of the round's requests."""

    anonymous: list[float]
    signed_in: list[float]


def cost(url: str, rounds: int) -> Cost:
    """Measure `GET /v1/links/{code}` of a fresh link by a fresh account; the first round only warms up."""
    link = send_file(f"{url}/api/upload/private", memoryview(b"small"))
    path = f"/v1/links/{link['file_url']}"
    with _connected(url) as connection, _signed_up(connection) as authorization:
        found = Cost([], [])
        for number in range(rounds + 1):
            anonymous, signed_in = _round(connection, _Request(path), _Request(path, authorization))
            if number:
                found.anonymous.append(anonymous)
                found.signed_in.append(signed_in)
        _Request(f"/api/delete/{link['file_url']}?key={link['key']}").send(connection)
    return found


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    method: str = "GET"
    body: Mapping[str, str] | None = None

    def send(self, connection: http.client.HTTPConnection) -> Any:
        """Send the request and return the answer. Raises `RequestFailed`."""
        status, content = self._exchange(connection, json.dumps(self.body) if self.body else None)
        if status >= 300:
            raise RequestFailed(f"{self.method} {self.path.partition('?')[0]}: {status} {content[:200]!r}")
        return json.loads(content) if content else None

    def milliseconds(self, connection: http.client.HTTPConnection) -> float:
        """Send the request and return how long the answer took. Raises `RequestFailed`."""
        begun = time.perf_counter()
        status, _ = self._exchange(connection, None)
        took = time.perf_counter() - begun
        if status != 200:
            raise RequestFailed(f"{self.method} {self.path}: {status}")
        return took * 1000

    def _exchange(self, connection: http.client.HTTPConnection, body: str | None) -> tuple[int, bytes]:
        connection.request(self.method, self.path, body, self.headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _round(connection: http.client.HTTPConnection, first: _Request, second: _Request) -> tuple[float, float]:
    """Send the two requests in turn, so that other work of the machine slows both alike."""
    taken = [(first.milliseconds(connection), second.milliseconds(connection)) for _ in range(ROUND)]
    return statistics.median(a for a, _ in taken), statistics.median(b for _, b in taken)


@contextmanager
def _connected(url: str) -> Generator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _signed_up(connection: http.client.HTTPConnection) -> Generator[dict[str, str]]:
    """The `Authorization` header of an account that exists for the block."""
    password = secrets.token_hex(16)
    account = {"name": f"bench-{secrets.token_hex(8)}", "password": password}
    as_json = {"Content-Type": "application/json"}
    _Request("/v1/auth/register", as_json, "POST", account).send(connection)
    signed_in = _Request("/v1/auth/login", as_json, "POST", account).send(connection)
    authorization = {"Authorization": f"Bearer {signed_in['token']}"}
    yield authorization
    _Request("/v1/account", {**authorization, **as_json}, "DELETE", {"password": password}).send(connection)
