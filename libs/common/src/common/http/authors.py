"""The author of an act, from the request that asks for it."""

import structlog
from fastapi import Request

from common.audit import Author
from common.identity import Identity


def author_of(request: Request, identity: Identity) -> Author:
    """The account that sent the request, with its address and the request's id."""
    address = request.client.host if request.client else "unknown"
    return Author(identity, address, structlog.contextvars.get_contextvars().get("request_id"))
