"""The upload service over HTTP: where everything is put together."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from common import logging
from common.blob import ObjectStore
from common.credentials import CredentialCache
from common.errors import Unavailable
from common.http.app import create_app as create_base_app
from common.http.identities import AuthPeer, Identities
from common.http.service_tokens import TokenVerifier
from common.http.user_tokens import UserTokens
from common.limits import Limiter
from common.passwords import Passwords
from common.queue.app import create_celery
from upload_service.api import fallback, fetches, file_mirrors, files, internal, mirrors
from upload_service.api.fetches import FetchJobs
from upload_service.api.files import Owning
from upload_service.build import SERVICE, build
from upload_service.compat import filecodebox, fileuploader, mirage, mirrorace
from upload_service.compat.filecodebox import FileCodeBox
from upload_service.compat.fileuploader import FileUploader
from upload_service.compat.mirage import Mirage
from upload_service.compat.mirrorace_steps import MirrorAce, RemoteRequest
from upload_service.model import UploadSession
from upload_service.operations.fetch_jobs import NewFetch
from upload_service.operations.fetch_waiting import fetch_now
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
            bucket.cancel()
            passwords.close()
            await credentials.close()
            await limiter.close()
            await parts.close()

    app = create_base_app(
        name=SERVICE,
        settings=settings,
        lifespan=lifespan,
        checks={"database": parts.context.db.ready, "store": parts.context.store.ready, "valkey": limiter.ready},
    )
    app.state.identities = Identities(UserTokens(verifier.keys), credentials, AuthPeer(parts.auth))
    wait = timedelta(seconds=settings.complete_wait_seconds)
    uploader = FileUploader(
        parts.context,
        parts.shares,
        limiter,
        uploads_per_minute=settings.file_uploader_uploads_per_minute,
        max_size=settings.file_uploader_size,
        public_url=settings.public_url,
    )
    jobs = FetchJobs(
        parts.context,
        parts.shares,
        passwords,
        lifetime=timedelta(seconds=settings.fetch_seconds),
        most_open=settings.fetches_open,
        public_url=settings.public_url,
    )

    async def fetch(asked: RemoteRequest) -> UploadSession:
        mirrors = list(asked.mirrors)
        new = NewFetch(asked.url, asked.terms, max_size=asked.max_size, lifetime=jobs.lifetime, mirrors=mirrors)
        return await fetch_now(parts.context, asked.identity, new, jobs.most_open)

    ace = MirrorAce(
        parts.context,
        parts.shares,
        passwords,
        max_chunk_size=settings.mirrorace_max_chunk_size,
        max_file_size=settings.mirrorace_max_file_size,
        max_mirrors=settings.mirrorace_max_mirrors,
        public_url=settings.public_url,
        fetch=fetch,
    )
    app.include_router(internal.router(parts.context, verifier))
    app.include_router(fallback.router(parts.context))
    app.include_router(mirrors.router(parts.context))
    app.include_router(file_mirrors.router(parts.context))
    app.include_router(fetches.router(jobs))
    app.include_router(files.router(Owning(parts.context, parts.shares, passwords)))
    app.include_router(filecodebox.router(FileCodeBox(parts.context, parts.shares, limiter, wait)))
    app.include_router(fileuploader.router(uploader))
    app.include_router(mirage.router(Mirage(parts.context, parts.shares, parts.rooms, settings.public_url)))
    app.include_router(mirrorace.router(ace))
    return app


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
