"""What a running share service holds. `app.py` builds it; routes ask for it."""

from dataclasses import dataclass
from typing import cast

from fastapi import Request

from common.db import Database
from common.identities import Identities
from common.limits import Limiter
from common.peers import Peer
from common.tokens.services import TokenVerifier
from share_service.downloads.guesses import Guesses
from share_service.downloads.keys import DownloadKeys
from share_service.downloads.passwords import SharePasswords
from share_service.policy.source import PolicySource
from share_service.shares.delete_keys import DeleteKeys


@dataclass(frozen=True, slots=True)
class AppState:
    """The service's connections and what is built on them."""

    database: Database
    limiter: Limiter
    upload: Peer
    verifier: TokenVerifier
    policy: PolicySource
    guesses: Guesses
    passwords: SharePasswords
    keys: DownloadKeys
    delete_keys: DeleteKeys
    identities: Identities
    public_url: str
    """As it is configured; empty: whatever host name a request came to."""


def state_of(request: Request) -> AppState:
    """The state of the application that serves `request`."""
    return cast("AppState", request.app.state.share)
