"""What a running share service holds. `app.py` builds it; routes ask for it."""

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from common.db import Database
from common.http.internal import Peer
from common.http.service_tokens import TokenVerifier
from common.limits import Limiter
from share_service.download_keys import DownloadKeys
from share_service.guesses import Guesses
from share_service.policy import PolicySource


@dataclass(frozen=True, slots=True)
class AppState:
    """The service's connections and what is built on them."""

    database: Database
    limiter: Limiter
    upload: Peer
    verifier: TokenVerifier
    policy: PolicySource
    guesses: Guesses
    keys: DownloadKeys


def state_of(request: Request) -> AppState:
    """The state of the application that serves `request`."""
    return cast("AppState", request.app.state.share)
