"""Builds the parts that a process of the chat service works with, from its settings."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from chat_service.accounts import Accounts
from chat_service.bounds import Bounds
from chat_service.context import Context
from chat_service.filters import Texts
from chat_service.inbox.model import TooManyUnanswered
from chat_service.rooms.joining import ADDRESS_COUNT, PERIOD, ROOM_COUNT
from chat_service.rooms.states import RoomStates
from chat_service.settings import ProcessSettings
from chat_service.shares import Shares
from chat_service.streams import MessageLists, PostingLimits, Streams
from common.asked_policy import AskedPolicy
from common.credentials import CredentialCache
from common.db import Database
from common.identities import AuthPeer, Identities
from common.limits import Limiter
from common.password_tries import PasswordTries
from common.passwords import Passwords
from common.peers import Peers
from common.tokens.users import UserTokens


@dataclass(frozen=True, slots=True)
class Process:
    """The context of a process, and the connections behind it."""

    context: Context
    peers: Peers
    limiter: Limiter
    credentials: CredentialCache
    hasher: Passwords

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Context]:
        """Connect, and disconnect at the end. A dependency that is down delays nothing."""
        await self.context.db.open()
        try:
            yield self.context
        finally:
            await self.peers.aclose()
            await self.credentials.close()
            await self.limiter.close()
            await self.context.streams.close()
            self.hasher.close()
            await self.context.db.close()


def build(
    settings: ProcessSettings,
    *,
    pool_size: int,
    texts: Texts | None = None,
    bounds: Bounds | None = None,
    public_url: str = "",
) -> Process:
    """The parts of a process with `pool_size` connections to its database. Nothing is connected yet.

    A worker takes no messages, so it needs neither `texts` nor `bounds`.
    """
    valkey_url = settings.valkey_url.get_secret_value()
    db = Database(settings.database_url.get_secret_value(), pool_size=pool_size)
    bounds = bounds or Bounds()
    streams = Streams(valkey_url, _posting_limits(bounds))
    limiter, credentials = Limiter(valkey_url), CredentialCache(valkey_url)
    hasher = Passwords()
    peers = Peers(
        "chat",
        secret=settings.service_secret.get_secret_value(),
        auth_url=settings.auth_url,
        patience=settings.peer_patience,
    )
    context = Context(
        db=db,
        streams=streams,
        states=RoomStates(db, streams),
        lists=MessageLists(streams),
        passwords=PasswordTries(
            limiter, hasher, "room-password", per_address=ADDRESS_COUNT, in_all=ROOM_COUNT, period=PERIOD
        ),
        accounts=Accounts(peers.auth),
        shares=Shares(peers.calls, settings.share_url, peers.at(settings.share_url)),
        identities=Identities(UserTokens(peers.verifier.keys), credentials, AuthPeer(peers.auth)),
        texts=texts or Texts(),
        bounds=bounds,
        policy=AskedPolicy(peers.at(settings.share_url)),
        unanswered=limiter.budget("inbox-unanswered", bounds.inbox_unanswered, timedelta(hours=1), TooManyUnanswered),
        public_url=public_url,
        address_secret=settings.service_secret.get_secret_value().encode(),
    )
    return Process(context, peers, limiter, credentials, hasher)


def _posting_limits(bounds: Bounds) -> PostingLimits:
    return PostingLimits(
        account_per_minute=bounds.account_messages_per_minute,
        room_per_minute=bounds.room_messages_per_minute,
        account_bytes=bounds.account_message_bytes,
        room_bytes=bounds.room_message_bytes,
    )
