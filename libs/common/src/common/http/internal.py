"""Routes under `/internal/…`, which only the other services may call."""

from collections.abc import Awaitable, Callable
from typing import cast

from fastapi import Request

from common.errors import Forbidden, Unauthenticated
from common.tokens.services import TokenVerifier


def called_by(*services: str) -> Callable[[Request], Awaitable[str]]:
    """A route dependency: the request carries a service token of one of `services`, whose name it returns.

    The application keeps its `TokenVerifier` as `app.state.verifier`. Raises `Unauthenticated`, `Forbidden`.
    """

    async def check(request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated
        service = await cast("TokenVerifier", request.app.state.verifier).service(token)
        if service not in services:
            raise Forbidden(f"{service} may not call this")
        return service

    return check
