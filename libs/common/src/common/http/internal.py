"""Routes under `/internal/…`, which only the other services may call."""

from collections.abc import Awaitable, Callable

from fastapi import Request

from common.errors import Forbidden, Unauthenticated
from common.tokens.services import TokenVerifier


def internal_only(verifier: Callable[[], TokenVerifier], *callers: str) -> Callable[[Request], Awaitable[str]]:
    """A route dependency: the request carries a service token of one of `callers`, whose name it returns."""

    async def check(request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated
        service = await verifier().service(token)
        if service not in callers:
            raise Forbidden(f"{service} may not call this")
        return service

    return check
