"""Calls from one service to another: JSON over HTTP under `/internal/…`, with a service token and the request id."""

from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import structlog

from common import errors, tracing
from common.calls import Answer, Calls, ConnectionBroken, NoAnswer
from common.errors import DomainError, Forbidden, Unavailable
from common.statistics import HEADER, SYSTEM, dialect
from common.statuses import STATUS
from common.tokens.services import Tokens, TokenSource, TokenVerifier


class PeerUnavailable(Unavailable):
    """Another service that this needs is not answering."""


class Peer:
    """Another service."""

    def __init__(self, calls: Calls, base_url: str, tokens: Tokens) -> None:
        self._calls, self._base_url, self._tokens = calls, base_url, tokens
        self._address = urlsplit(base_url).netloc

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call an internal route and return the JSON object of the answer.

        Problem details are raised as the `DomainError` that they stand for, and `PeerUnavailable` if the peer does not
        answer. The call is repeated once after a broken connection, so every internal route must be safe to repeat.
        """
        answer = await self._send(method, path, body)
        if answer.status == 401:
            # The auth service may no longer know the key of the token, for example after its database was restored.
            # A new token is signed with a current key.
            self._tokens.forget()
            answer = await self._send(method, path, body)
        if answer.status >= 400:
            raise _error_of(answer)
        return answer.json() if answer.body else {}

    async def _send(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        headers = {"Authorization": f"Bearer {await self._tokens.token()}", **request_headers()}
        if (asked := dialect()) != SYSTEM:
            headers[HEADER] = asked
        attributes: tracing.Attributes = {"http.request.method": method, "server.address": self._address}
        with tracing.step(f"{method} {self._address}", "client", attributes) as step:
            answer = await self._answer(method, path, body, headers | step.carried())
            step.note("http.response.status_code", answer.status)
            return answer

    async def _answer(self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Answer:
        try:
            try:
                return await self._calls.send(method, self._base_url + path, body=body, headers=headers)
            except ConnectionBroken:
                return await self._calls.send(method, self._base_url + path, body=body, headers=headers)
        except NoAnswer as error:
            raise PeerUnavailable from error


class Peers:
    """The other services, as a process of one service calls them: by one set of connections, with one token."""

    def __init__(self, service: str, *, secret: str, auth_url: str, patience: timedelta = timedelta(0)) -> None:
        """`service` is the name of this one, `secret` the one that it shares with the auth service at `auth_url`.

        A call waits for `patience` while the other service does not listen.
        """
        self.calls = Calls(patience)
        self._tokens = TokenSource(self.calls, auth_url=auth_url, service=service, secret=secret)
        self.verifier = TokenVerifier.asking(self.calls, auth_url=auth_url)
        """Checks the tokens that the others send to this service."""
        self.auth = self.at(auth_url)

    def at(self, url: str) -> Peer:
        """The service at `url`."""
        return Peer(self.calls, url, self._tokens)

    async def aclose(self) -> None:
        await self.calls.aclose()


def request_headers() -> dict[str, str]:
    """The headers of a call that say which request it is part of."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return {"X-Request-Id": request_id} if request_id else {}


def _error_of(answer: Answer) -> DomainError:
    if answer.status == 401 or (answer.status >= 500 and answer.status != 507):
        return PeerUnavailable()
    try:
        problem = cast("dict[str, Any]", answer.json())
    except ValueError:
        problem = {}
    # If the peer does not trust this service, that is not the caller's error. Actions that are forbidden to the caller
    # have another code.
    if answer.status == 403 and problem.get("code", Forbidden.code) == Forbidden.code:
        return PeerUnavailable()
    kind = next((kind for kind, status in STATUS if status == answer.status), errors.InvalidInput)
    error = kind(str(problem.get("detail", "")) or None)
    error.code = str(problem.get("code", error.code))
    return error
