"""What a running auth service holds. `app.py` builds it; routes ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from auth_service.context import Context
from common.identities import Identities
from common.limits import Limiter


@dataclass(frozen=True, slots=True)
class AppState:
    """What operations work with, and the secrets by which the service knows the other services."""

    context: Context
    service_secrets: Mapping[str, str]
    limiter: Limiter
    calls_per_minute: int
    public_url: str


def state_of(request: Request) -> AppState:
    """The state of the application that serves `request`."""
    return cast("AppState", request.app.state.auth)


def identities_of(request: Request) -> Identities:
    """What turns the request's credentials into an account."""
    return cast("Identities", request.app.state.identities)
