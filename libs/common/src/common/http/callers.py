"""The account that sent a request, as route dependencies."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBase, HTTPBearer
from fastapi.security.base import SecurityBase

from common.errors import Forbidden
from common.identities import Identities
from common.identity import CredentialError, Identity


class SessionNeeded(Forbidden):
    """This call needs a signed-in session: an API key is not enough."""

    code = "session_needed"


class _Documented(SecurityBase):
    """Adds a kind of credential to the OpenAPI document and does nothing else."""

    def __init__(self, model: HTTPBase, name: str) -> None:
        self.model = model
        self.scheme_name = name

    async def __call__(self) -> None: ...


_bearer = _Documented(HTTPBearer(description="The token that signing in gave"), "token")
_basic = _Documented(HTTPBase(scheme="basic", description="An API key and its token"), "api_key")


async def of_request(request: Request) -> Identity:
    """The account that sent the request. Raises the errors of `Identities.of_header`."""
    identities: Identities = request.app.state.identities
    return await identities.of_header(request.headers.get("authorization"))


async def required(
    request: Request, _: Annotated[None, Depends(_bearer)], __: Annotated[None, Depends(_basic)]
) -> Identity:
    """A route dependency: the account that sent the request."""
    return await of_request(request)


async def optional(
    request: Request, _: Annotated[None, Depends(_bearer)], __: Annotated[None, Depends(_basic)]
) -> Identity | None:
    """A route dependency: the account that sent the request, or None without credentials. Invalid ones are an error."""
    return await of_request(request) if request.headers.get("authorization") else None


async def ignoring_errors(request: Request) -> Identity | None:
    """The account that sent the request; None without credentials or with invalid ones."""
    if not request.headers.get("authorization"):
        return None
    try:
        return await of_request(request)
    except CredentialError:
        return None


SignedIn = Annotated[Identity, Depends(required)]
MaybeSignedIn = Annotated[Identity | None, Depends(optional)]


async def in_person(request: Request, identity: SignedIn) -> Identity:
    """A route dependency: the account, when it is signed in. Raises `SessionNeeded` for an API key.

    API keys are for files: someone who finds one must not be able to make others with it.
    """
    if not request.headers.get("authorization", "").lower().startswith("bearer "):
        raise SessionNeeded
    return identity


InPerson = Annotated[Identity, Depends(in_person)]


async def administrator(identity: InPerson) -> Identity:
    """A route dependency: the account, when it is a signed-in administrator. Raises `Forbidden`."""
    if not identity.is_administrator:
        raise Forbidden
    return identity


Administrator = Annotated[Identity, Depends(administrator)]
