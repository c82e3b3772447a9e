"""The one module that knows requests: the service's context, the client, and route dependencies."""

from collections.abc import Awaitable, Callable
from typing import cast

from fastapi import Request, Response

from auth_service.context import Context
from auth_service.limits import Call
from common.addresses import limit_key
from common.identities import Identities


def context_of(request: Request) -> Context:
    """The context of the application that serves `request`."""
    return cast("Context", request.app.state.context)


def identities_of(request: Request) -> Identities:
    """Turns the request's credentials into an account."""
    return cast("Identities", request.app.state.identities)


def address_of(request: Request) -> str:
    """The client address that limits count by."""
    return limit_key(request.client.host if request.client else "")


def label_of(request: Request, otherwise: str) -> str:
    """The label by which the owner of a session may recognise its client."""
    return request.headers.get("user-agent") or otherwise


def counted(call: Call) -> Callable[[Request], Awaitable[None]]:
    """A route dependency: count a call of this kind for the client's address. Raises `TooManyCalls`."""

    async def count(request: Request) -> None:
        await context_of(request).calls.count(call, address_of(request))

    return count


def not_stored(response: Response) -> None:
    """A route dependency: no cache may keep the answer."""
    response.headers["Cache-Control"] = "no-store"
