"""The upload service over HTTP: where everything is put together."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import APIRouter, FastAPI

from common import logging
from common.cancelling import cancel
from common.credentials import CredentialCache
from common.dialects import fileuploader as fileuploader_dialect
from common.errors import Unavailable
from common.http.app import create_app as create_base_app
from common.identities import AuthPeer, Identities
from common.limits import Limiter
from common.passwords import Passwords
from common.queue.app import create_celery
from common.store import ObjectStore
from common.tokens.services import TokenVerifier
from common.tokens.users import UserTokens
from upload_service.build import SERVICE, Parts, build
from upload_service.content import api as files
from upload_service.content import internal_api as internal
from upload_service.content.api import Owning
from upload_service.dialects import fileuploader, mirage
from upload_service.dialects.filecodebox import routes as filecodebox
from upload_service.dialects.filecodebox.routes import FileCodeBox
from upload_service.dialects.fileuploader import FileUploader
from upload_service.dialects.mirage import Mirage
from upload_service.dialects.mirrorace import routes as mirrorace
from upload_service.dialects.mirrorace.steps import MirrorAce
from upload_service.fetches import api as fetches
from upload_service.fetches.api import FetchJobs
from upload_service.mirrors.api import fallback, file_mirrors, mirrors
from upload_service.settings import UploadSettings
from upload_service.tasks import CeleryQueue

BUCKET_RETRY_SECONDS = 1


def create_app(settings: UploadSettings | None = None) -> FastAPI:
    """The application, configured by the environment unless `settings` are given."""
    settings = settings or UploadSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    queue = create_celery(SERVICE, settings.broker_url.get_secret_value())

    parts = build(settings, CeleryQueue(queue), pool_size=settings.database_pool_size)
    limiter = Limiter(settings.valkey_url.get_secret_value())
    credentials = CredentialCache(settings.valkey_url.get_secret_value())
    passwords = Passwords()
    verifier = TokenVerifier(parts.client, auth_url=settings.auth_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await parts.open()
        bucket = asyncio.create_task(_make_bucket(parts.context.store))
        try:
            yield
        finally:
            await cancel(bucket)
            passwords.close()
            await credentials.close()
            await limiter.close()
            await parts.close()

    app = create_base_app(
        name=SERVICE,
        settings=settings,
        lifespan=lifespan,
        checks={"database": parts.context.db.ready, "store": parts.context.store.ready, "valkey": limiter.ready},
        credentialed_paths=fileuploader_dialect.API_PATHS,
    )
    app.state.identities = Identities(UserTokens(verifier.keys), credentials, AuthPeer(parts.auth))
    for router in _routers(settings, parts, limiter, passwords, verifier):
        app.include_router(router)
    return app


def _routers(
    settings: UploadSettings, parts: Parts, limiter: Limiter, passwords: Passwords, verifier: TokenVerifier
) -> Iterator[APIRouter]:
    """The routes of every protocol: internal, native, and foreign."""
    context, shares = parts.context, parts.shares
    jobs = FetchJobs(
        context,
        shares,
        passwords,
        lifetime=timedelta(seconds=settings.fetch_seconds),
        most_open=settings.fetches_open,
        public_url=settings.public_url,
    )
    yield internal.router(context, verifier)
    yield fallback.router(context)
    yield mirrors.router(context)
    yield file_mirrors.router(context)
    yield fetches.router(jobs)
    yield files.router(Owning(context, shares, passwords))
    yield filecodebox.router(FileCodeBox(context, shares, limiter, timedelta(seconds=settings.complete_wait_seconds)))
    yield fileuploader.router(
        FileUploader(
            context,
            shares,
            limiter,
            uploads_per_minute=settings.file_uploader_uploads_per_minute,
            max_size=settings.file_uploader_size,
            public_url=settings.public_url,
        )
    )
    yield mirage.router(Mirage(context, shares, parts.rooms, settings.public_url))
    yield mirrorace.router(
        MirrorAce(
            context,
            shares,
            passwords,
            max_chunk_size=settings.mirrorace_max_chunk_size,
            max_file_size=settings.mirrorace_max_file_size,
            max_mirrors=settings.mirrorace_max_mirrors,
            public_url=settings.public_url,
            fetch_lifetime=jobs.lifetime,
            fetches_open=jobs.most_open,
        )
    )


async def _make_bucket(store: ObjectStore) -> None:
    """Create the bucket at the first start, as soon as the store answers."""
    while True:
        try:
            await store.ensure_bucket()
        except Unavailable as error:
            logging.get(__name__).warning("waiting for the object store", error=error.message)
            await asyncio.sleep(BUCKET_RETRY_SECONDS)
        else:
            return
