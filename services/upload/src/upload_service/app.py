"""The upload service over HTTP: builds the application of all slices and dialects."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from common import logging
from common.cancelling import cancel
from common.credentials import CredentialCache
from common.dialects import fileuploader as fileuploader_dialect
from common.errors import Unavailable
from common.http import audit
from common.http.app import create_app as create_base_app
from common.identities import AuthPeer, Identities
from common.queue.app import create_celery
from common.store import ObjectStore
from common.tokens.users import UserTokens
from upload_service import backlog
from upload_service.accounts import internal_api as accounts
from upload_service.administration import api as whole_administration
from upload_service.administration import internal_api as system_internal
from upload_service.administration.system import Surroundings
from upload_service.archives import api as archives
from upload_service.build import SERVICE, build, opened
from upload_service.content import api as content
from upload_service.content import internal_api as content_internal
from upload_service.dialects import direct_parts, fileuploader, mirage, uploads
from upload_service.dialects.curl import routes as curl
from upload_service.dialects.filecodebox import chunked, direct, local, presigned
from upload_service.dialects.mirrorace import routes as mirrorace
from upload_service.fetches import api as fetches
from upload_service.items import internal_api as items_internal
from upload_service.mirrors.api import abilities, administration, choices, fallback, file_mirrors
from upload_service.mirrors.api import internal as mirrors_internal
from upload_service.quotas import api as quotas
from upload_service.quotas import internal_api as quotas_internal
from upload_service.settings import UploadSettings
from upload_service.tasks import CeleryQueue

STORE_RETRY_SECONDS = 1
# Routes are tried in this order, so the most frequent calls come first.
ROUTERS = (
    content_internal.router,
    items_internal.router,
    chunked.router,
    direct.router,
    presigned.router,
    local.router,
    direct_parts.router,
    uploads.router,
    mirrors_internal.router,
    accounts.router,
    fallback.router,
    archives.router,
    abilities.router,
    choices.router,
    administration.router,
    file_mirrors.router,
    fetches.router,
    quotas.account,
    quotas.admin,
    quotas_internal.router,
    mirrorace.router,
    content.router,
    fileuploader.router,
    mirage.router,
    curl.router,
    whole_administration.router,
    system_internal.router,
    audit.router,
)


def create_app(settings: UploadSettings | None = None) -> FastAPI:
    """The application, configured by the environment unless `settings` are given."""
    settings = settings or UploadSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    queue = create_celery(SERVICE, settings.broker_url.get_secret_value())
    context = build(settings, CeleryQueue(queue), pool_size=settings.database_pool_size)
    credentials = CredentialCache(settings.valkey_url.get_secret_value())
    peers = context.peers

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with opened(context, settings.valkey_url.get_secret_value()):
            preparing = asyncio.create_task(_prepare(context.store))
            try:
                yield
            finally:
                await cancel(preparing)
                await credentials.close()

    app = create_base_app(
        name=SERVICE,
        settings=settings,
        lifespan=lifespan,
        routers=ROUTERS,
        checks={"database": context.db.ready, "store": context.store.ready, "valkey": context.limiter.ready},
        backlog=lambda: backlog.waiting(context),
        credentialed_paths=fileuploader_dialect.API_PATHS,
        policy=context.shares.policy,
    )
    app.state.context = context
    app.state.surroundings = Surroundings.of(settings)
    app.state.verifier = peers.verifier
    app.state.identities = Identities(UserTokens(peers.verifier.keys), credentials, AuthPeer(peers.auth))
    return app


async def _prepare(store: ObjectStore) -> None:
    """Make the store ready for its first object, as soon as it answers."""
    while True:
        try:
            await store.prepare()
        except Unavailable as error:
            logging.get(__name__).warning("waiting for the object store", error=error.message)
            await asyncio.sleep(STORE_RETRY_SECONDS)
        else:
            return
