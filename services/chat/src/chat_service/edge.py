"""What a running chat service holds. `app.py` builds it; routes ask for it."""

from dataclasses import dataclass
from typing import cast

from fastapi import Request
from starlette.requests import HTTPConnection

from chat_service.context import Context
from chat_service.shares import Shares
from common.addresses import limit_key
from common.identities import Identities


@dataclass(frozen=True, slots=True)
class AppState:
    """What operations work with, and what turns requests into what operations take."""

    context: Context
    identities: Identities
    shares: Shares
    public_url: str
    """As it is configured; empty: whatever host name a request came to."""


def state_of(connection: HTTPConnection) -> AppState:
    """The state of the application that serves a request or a socket."""
    return cast("AppState", connection.app.state.chat)


def address_of(request: Request) -> str:
    """The address by which limits count."""
    return limit_key(request.client.host if request.client else "")
