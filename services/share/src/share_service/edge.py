"""Reading from a request what routes of every slice and dialect need."""

from typing import cast

from fastapi import Request

from common.http.public_url import base_url
from common.identities import Identities
from share_service.context import Context


def context_of(request: Request) -> Context:
    """The context of the use cases."""
    return cast("Context", request.app.state.context)


def identities_of(request: Request) -> Identities:
    """The service that finds the account of a credential."""
    return cast("Identities", request.app.state.identities)


def address_of(request: Request) -> str:
    """The client's address."""
    return request.client.host if request.client else "unknown"


def public_url_of(request: Request) -> str:
    """The scheme and host under which clients reach the system, without a slash at the end."""
    return base_url(request, str(request.app.state.public_url))
