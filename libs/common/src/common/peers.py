"""Calls from one service to another: JSON over HTTP under `/internal/…`, with a service token and the request id."""

from typing import Any, cast

import httpx
import structlog

from common import errors
from common.errors import DomainError, Forbidden, Unavailable
from common.statuses import STATUS
from common.tokens.services import TokenSource

TIMEOUT = httpx.Timeout(10, connect=3)


class PeerUnavailable(Unavailable):
    """Another service that this needs is not answering."""


def new_client() -> httpx.AsyncClient:
    """The HTTP client that internal calls of a process share."""
    return httpx.AsyncClient(timeout=TIMEOUT, limits=httpx.Limits(max_connections=200, max_keepalive_connections=50))


class Peer:
    """Another service."""

    def __init__(self, client: httpx.AsyncClient, base_url: str, tokens: TokenSource) -> None:
        self._client, self._base_url, self._tokens = client, base_url, tokens

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call an internal route and return the JSON object of the answer.

        Problem details are raised as the `DomainError` that they stand for, and `PeerUnavailable` if the peer does not
        answer. The call is repeated once after a broken connection, so every internal route must be safe to repeat.
        """
        response = await self._send(method, path, body)
        if response.status_code == 401:
            # The auth service may no longer know the key of the token, for example after its database was restored.
            # A new token is signed with a current key.
            self._tokens.forget()
            response = await self._send(method, path, body)
        if response.status_code >= 400:
            raise _error_of(response)
        return response.json() if response.content else {}

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {await self._tokens.token()}"}
        request_id = structlog.contextvars.get_contextvars().get("request_id")
        if request_id:
            headers["X-Request-Id"] = request_id
        try:
            try:
                return await self._client.request(method, self._base_url + path, json=body, headers=headers)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                return await self._client.request(method, self._base_url + path, json=body, headers=headers)
        except httpx.TransportError as error:
            raise PeerUnavailable from error


def _error_of(response: httpx.Response) -> DomainError:
    if response.status_code == 401 or (response.status_code >= 500 and response.status_code != 507):
        return PeerUnavailable()
    try:
        problem = cast("dict[str, Any]", response.json())
    except ValueError:
        problem = {}
    # If the peer does not trust this service, that is not the caller's error. Actions that are forbidden to the caller
    # have another code.
    if response.status_code == 403 and problem.get("code", Forbidden.code) == Forbidden.code:
        return PeerUnavailable()
    kind = next((kind for kind, status in STATUS if status == response.status_code), errors.InvalidInput)
    error = kind(str(problem.get("detail", "")) or None)
    error.code = str(problem.get("code", error.code))
    return error
