"""The one module that knows requests: the service's context, the client, and route dependencies."""

from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from fastapi import Depends, Request, Response

from auth_service.context import Context
from auth_service.limits import Call
from common.addresses import limit_key
from common.errors import Forbidden
from common.http.callers import SignedIn
from common.identities import Identities
from common.identity import Identity


class SessionNeeded(Forbidden):
    """This call needs a signed-in session: an API key is not enough."""

    code = "session_needed"


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


async def in_person(request: Request, identity: SignedIn) -> Identity:
    """A route dependency: the account, when it is signed in. Raises `SessionNeeded` for an API key.

    API keys are for files: someone who finds one must not be able to make others with it.
    """
    if not request.headers.get("authorization", "").lower().startswith("bearer "):
        raise SessionNeeded
    return identity


InPerson = Annotated[Identity, Depends(in_person)]


async def administrator(identity: InPerson) -> Identity:
    """A route dependency: the account, when it is a signed-in administrator."""
    if not identity.is_administrator:
        raise Forbidden
    return identity


def not_stored(response: Response) -> None:
    """A route dependency: no cache may keep the answer."""
    response.headers["Cache-Control"] = "no-store"
