"""Builds the context of a process of the share service from its settings."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from common import statistics
from common.addresses import parse_networks
from common.db import Database
from common.limits import Limiter
from common.outbound.client import Outbound
from common.password_tries import PasswordTries
from common.passwords import Passwords
from common.peers import Peers
from common.remembered import Remembered
from share_service.context import Context
from share_service.downloads.passwords import ADDRESS_COUNT, PERIOD, SHARE_COUNT
from share_service.policy.source import CachedPolicy
from share_service.settings import ShareSettings
from share_service.webhooks.model import CALL_SECONDS


@dataclass(frozen=True, slots=True)
class Process:
    """The context of a process, and the parts of it that are opened and closed."""

    context: Context
    peers: Peers
    hasher: Passwords
    valkey_url: str

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Context]:
        """Connect, and disconnect at the end. A database that is down delays nothing."""
        await self.context.db.open()
        await self.context.outbound.open()
        await self.context.outbound_of_place.open()
        try:
            with statistics.handed_over(self.valkey_url):
                yield self.context
        finally:
            await self.context.outbound.close()
            await self.context.outbound_of_place.close()
            await self.peers.aclose()
            await self.context.limiter.close()
            self.hasher.close()
            await self.context.db.close()


def build(settings: ShareSettings, *, pool_size: int) -> Process:
    """The parts of a process with `pool_size` connections to its database. Nothing is connected yet."""
    db = Database(settings.database_url.get_secret_value(), pool_size=pool_size)
    limiter = Limiter(settings.valkey_url.get_secret_value())
    hasher = Passwords()
    peers = Peers(
        "share",
        secret=settings.service_secret.get_secret_value(),
        auth_url=settings.auth_url,
        patience=settings.peer_patience,
    )
    context = Context(
        db=db,
        auth=peers.auth,
        upload=peers.at(settings.upload_url),
        chat=peers.at(settings.chat_url),
        calls=peers.calls,
        outbound=Outbound(stall_seconds=CALL_SECONDS),
        outbound_of_place=Outbound(
            allowed=parse_networks(settings.webhook_allowed_networks), stall_seconds=CALL_SECONDS
        ),
        networks_of_place=settings.webhook_allowed_networks,
        service_urls={"auth": settings.auth_url, "upload": settings.upload_url, "chat": settings.chat_url},
        policy=CachedPolicy(db, settings.policy()),
        sums=Remembered(),
        limiter=limiter,
        passwords=PasswordTries(
            limiter, hasher, "share-password", per_address=ADDRESS_COUNT, in_all=SHARE_COUNT, period=PERIOD
        ),
        guess_global_count=settings.guess_global_count,
        key_secret=settings.download_key_secret.get_secret_value(),
    )
    return Process(context, peers, hasher, settings.valkey_url.get_secret_value())
