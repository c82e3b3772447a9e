"""Builds the context of the application and of both workers."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from pathlib import Path

from common import statistics
from common.db import Database
from common.limits import Limiter
from common.outbound.client import Outbound
from common.passwords import Passwords
from common.peers import Peers
from common.store.building import build_store
from upload_service.context import Context, Queue
from upload_service.directory import Directory
from upload_service.mirrors.drivers import Rules
from upload_service.mirrors.drivers.public_urls import PublicUrls
from upload_service.mirrors.hooks import MirrorHooks
from upload_service.mirrors.opened_drivers import MirrorDrivers
from upload_service.mirrors.sealing import Sealer
from upload_service.quotas.limits import PolicyLimits
from upload_service.rooms import Rooms
from upload_service.settings import UploadSettings
from upload_service.shares import Shares

SERVICE = "upload"


def build(settings: UploadSettings, queue: Queue, *, pool_size: int) -> Context:
    """The context that `settings` describe, not yet open."""
    peers = Peers(
        SERVICE,
        secret=settings.service_secret.get_secret_value(),
        auth_url=settings.auth_url,
        patience=settings.peer_patience,
    )
    db = Database(settings.database_url.get_secret_value(), pool_size=pool_size)
    outbound = Outbound(allowed=settings.allowed_networks, stall_seconds=settings.fetch_stall_seconds)
    shares = Shares(peers.at(settings.share_url))
    sealer = Sealer(settings.mirror_key.get_secret_value())
    return Context(
        db=db,
        store=build_store(settings),
        queue=queue,
        peers=peers,
        shares=shares,
        rooms=Rooms(peers.at(settings.chat_url)),
        directory=Directory(peers.auth),
        passwords=Passwords(),
        limiter=Limiter(settings.valkey_url.get_secret_value()),
        outbound=outbound,
        hooks=MirrorHooks(db, queue, sealer),
        limits_for=PolicyLimits(shares),
        drivers=MirrorDrivers(sealer, Rules(folders=settings.folders, urls=PublicUrls(outbound))),
        session_lifetime=timedelta(seconds=settings.session_lifetime_seconds),
        garbage_grace=timedelta(seconds=settings.garbage_grace_seconds),
        unclaimed_lifetime=timedelta(seconds=settings.unclaimed_lifetime_seconds),
        complete_wait=timedelta(seconds=settings.complete_wait_seconds),
        replica_recheck=timedelta(seconds=settings.replica_recheck_seconds),
        fetch_lifetime=timedelta(seconds=settings.fetch_seconds),
        fetches_open=settings.fetches_open,
        fetches_at_once=settings.fetches_at_once,
        fetches_at_once_each=settings.fetches_at_once_each,
        public_url=settings.public_url,
        local_folder=Path(settings.filecodebox_folder) if settings.filecodebox_folder else None,
        file_uploader_uploads_per_minute=settings.file_uploader_uploads_per_minute,
        file_uploader_max_size=settings.file_uploader_size,
        mirrorace_max_chunk_size=settings.mirrorace_max_chunk_size,
        mirrorace_max_file_size=settings.mirrorace_max_file_size,
        mirrorace_max_mirrors=settings.mirrorace_max_mirrors,
    )


@asynccontextmanager
async def opened(context: Context, valkey_url: str = "") -> AsyncGenerator[Context]:
    """Open the context's pools and clients for the block, and close them after it.

    `valkey_url`: the server that gets what is counted for the statistics; empty: nobody gets it.
    """
    await context.db.open()
    await context.store.open()
    await context.outbound.open()
    try:
        with statistics.handed_over(valkey_url) if valkey_url else nullcontext():
            yield context
    finally:
        await context.checksums.close()
        context.passwords.close()
        await context.limiter.close()
        await context.peers.aclose()
        await context.drivers.close()
        await context.outbound.close()
        await context.store.close()
        await context.db.close()
