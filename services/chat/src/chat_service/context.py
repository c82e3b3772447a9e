"""The parts that use cases work with, and the connections behind them. The service and its worker build the same."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from chat_service.accounts import Accounts
from chat_service.bounds import Bounds
from chat_service.filters import Texts
from chat_service.rooms.states import RoomStates
from chat_service.settings import ProcessSettings
from chat_service.shares import Shares
from chat_service.streams import MessageLists, Streams
from common.credentials import CredentialCache
from common.db import Database
from common.identities import AuthPeer, Identities
from common.limits import Limiter
from common.password_tries import PasswordTries
from common.passwords import Passwords
from common.peers import Peer, new_client
from common.tokens.services import TokenSource, TokenVerifier
from common.tokens.users import UserTokens

WRONG_PASSWORDS_OF_ADDRESS = 10
"""Wrong passwords for a room that one address may send within `WRONG_PASSWORDS_PERIOD`."""
WRONG_PASSWORDS_OF_ALL = 100
"""Wrong passwords for a room that all addresses together may send within `WRONG_PASSWORDS_PERIOD`."""
WRONG_PASSWORDS_PERIOD = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Context:
    """One for each process."""

    db: Database
    streams: Streams
    states: RoomStates
    lists: MessageLists
    passwords: PasswordTries
    accounts: Accounts
    shares: Shares
    identities: Identities
    texts: Texts
    bounds: Bounds
    public_url: str
    """As it is configured; empty: the host name that each request came to."""


class Connections:
    """The connections of a process. None is made before `opened`, and none has to succeed there."""

    def __init__(self, settings: ProcessSettings, *, pool_size: int) -> None:
        valkey_url = settings.valkey_url.get_secret_value()
        self.database = Database(settings.database_url.get_secret_value(), pool_size=pool_size)
        self.streams = Streams(valkey_url)
        self.limiter = Limiter(valkey_url)
        self.credentials = CredentialCache(valkey_url)
        self.client = new_client()
        self.passwords = Passwords()
        self.verifier = TokenVerifier(self.client, auth_url=settings.auth_url)

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[None]:
        """Open the database's pool; close everything at the end."""
        await self.database.open()
        try:
            yield
        finally:
            await self.client.aclose()
            await self.credentials.close()
            await self.limiter.close()
            await self.streams.close()
            self.passwords.close()
            await self.database.close()


def new_context(
    connections: Connections,
    settings: ProcessSettings,
    *,
    texts: Texts | None = None,
    bounds: Bounds | None = None,
    public_url: str = "",
) -> Context:
    """The context of a process. A worker, which takes no messages, needs neither `texts` nor `bounds`."""
    tokens = TokenSource(
        connections.client,
        auth_url=settings.auth_url,
        service="chat",
        secret=settings.service_secret.get_secret_value(),
    )
    auth = Peer(connections.client, settings.auth_url, tokens)
    share = Peer(connections.client, settings.share_url, tokens)
    return Context(
        db=connections.database,
        streams=connections.streams,
        states=RoomStates(connections.database, connections.streams),
        lists=MessageLists(connections.streams),
        passwords=PasswordTries(
            connections.limiter,
            connections.passwords,
            "room-password",
            per_address=WRONG_PASSWORDS_OF_ADDRESS,
            in_all=WRONG_PASSWORDS_OF_ALL,
            period=WRONG_PASSWORDS_PERIOD,
        ),
        accounts=Accounts(auth),
        shares=Shares(connections.client, settings.share_url, share),
        identities=Identities(UserTokens(connections.verifier.keys), connections.credentials, AuthPeer(auth)),
        texts=texts or Texts(),
        bounds=bounds or Bounds(),
        public_url=public_url,
    )
