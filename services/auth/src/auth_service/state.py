"""What a running auth service holds. `app.py` builds it; routes ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from common.db import Database


@dataclass(frozen=True, slots=True)
class AppState:
    """The service's database, and the secrets by which it knows the other services."""

    database: Database
    service_secrets: Mapping[str, str]


def state_of(request: Request) -> AppState:
    """The state of the application that serves `request`."""
    return cast("AppState", request.app.state.auth)
