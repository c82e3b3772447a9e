"""Who may call a route: route dependencies."""

from typing import Annotated

from fastapi import Depends, Request, Response

from common.errors import Forbidden
from common.http.callers import SignedIn
from common.identity import Identity


class SessionNeeded(Forbidden):
    """This is for someone who is signed in: an API key does not do."""

    code = "session_needed"


async def in_person(request: Request, identity: SignedIn) -> Identity:
    """Who is signed in. An API key is for files: whoever finds one must not be able to make others of it."""
    if not request.headers.get("authorization", "").lower().startswith("bearer "):
        raise SessionNeeded
    return identity


InPerson = Annotated[Identity, Depends(in_person)]


async def administrator(identity: InPerson) -> Identity:
    """An administrator who is signed in."""
    if not identity.is_administrator:
        raise Forbidden
    return identity


Administrator = Annotated[Identity, Depends(administrator)]


def not_stored(response: Response) -> None:
    """A route dependency: no cache may keep the answer."""
    response.headers["Cache-Control"] = "no-store"
