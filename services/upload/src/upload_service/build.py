"""What the HTTP application and the worker build alike."""

from dataclasses import dataclass
from datetime import timedelta

import httpx

from common.db import Database
from common.outbound.client import Outbound
from common.peers import Peer, new_client
from common.store import ObjectStore
from common.tokens.services import TokenSource
from upload_service.context import Context, Queue
from upload_service.mirrors.drivers import Rules
from upload_service.mirrors.drivers.public_urls import PublicUrls
from upload_service.mirrors.opened_drivers import MirrorDrivers
from upload_service.mirrors.sealing import Sealer
from upload_service.rooms import Rooms
from upload_service.settings import UploadSettings
from upload_service.shares import Shares

SERVICE = "upload"


@dataclass(frozen=True, slots=True)
class Parts:
    """The service's own things, to be opened and closed together."""

    context: Context
    shares: Shares
    rooms: Rooms
    auth: Peer
    outbound: Outbound
    client: httpx.AsyncClient

    async def open(self) -> None:
        await self.context.db.open()
        await self.context.store.open()
        await self.outbound.open()

    async def close(self) -> None:
        await self.client.aclose()
        await self.context.drivers.close()
        await self.outbound.close()
        await self.context.store.close()
        await self.context.db.close()


def build(settings: UploadSettings, queue: Queue, *, pool_size: int) -> Parts:
    """Everything that operations need, not yet open."""
    client = new_client()
    secret = settings.service_secret.get_secret_value()
    tokens = TokenSource(client, auth_url=settings.auth_url, service=SERVICE, secret=secret)
    outbound = Outbound(allowed=settings.allowed_networks, stall_seconds=settings.fetch_stall_seconds)
    rules = Rules(folders=settings.folders, urls=PublicUrls(outbound))
    context = Context(
        db=Database(settings.database_url.get_secret_value(), pool_size=pool_size),
        store=ObjectStore(
            settings.s3_endpoint,
            region=settings.s3_region,
            bucket=settings.s3_bucket,
            access_key=settings.s3_access_key.get_secret_value(),
            secret_key=settings.s3_secret_key.get_secret_value(),
        ),
        session_lifetime=timedelta(seconds=settings.session_lifetime_seconds),
        queue=queue,
        drivers=MirrorDrivers(Sealer(settings.mirror_key.get_secret_value()), rules),
    )
    shares = Shares(Peer(client, settings.share_url, tokens))
    rooms = Rooms(Peer(client, settings.chat_url, tokens))
    return Parts(context, shares, rooms, Peer(client, settings.auth_url, tokens), outbound, client)
