"""The share service: codes, links, pages, texts, redemption and policy."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from common.credentials import CredentialCache
from common.db import Database
from common.dialects import fileuploader as fileuploader_dialect
from common.http import app as http
from common.identities import AuthPeer, Identities
from common.limits import Limiter
from common.passwords import Passwords
from common.peers import Peer, new_client
from common.tokens.services import TokenSource, TokenVerifier
from common.tokens.users import UserTokens
from share_service.context import AppState
from share_service.dialects import mirrorace
from share_service.dialects.filecodebox import routes as filecodebox
from share_service.dialects.fileuploader import routes as fileuploader
from share_service.downloads import api as links
from share_service.downloads.guesses import Guesses
from share_service.downloads.keys import DownloadKeys
from share_service.downloads.passwords import SharePasswords
from share_service.pages import api as pages
from share_service.pages import routes as web
from share_service.policy.source import PolicySource
from share_service.settings import ShareSettings
from share_service.shares import api as shares
from share_service.shares import internal_api as internal
from share_service.shares.delete_keys import DeleteKeys


def create_app(settings: ShareSettings | None = None) -> FastAPI:
    """The application. Nothing is connected before it starts, and nothing that is down keeps it from starting."""
    settings = settings or ShareSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool_size)
    limiter = Limiter(settings.valkey_url.get_secret_value())
    client = new_client()
    tokens = TokenSource(
        client, auth_url=settings.auth_url, service="share", secret=settings.service_secret.get_secret_value()
    )
    verifier = TokenVerifier(client, auth_url=settings.auth_url)
    cache = CredentialCache(settings.valkey_url.get_secret_value())
    auth = AuthPeer(Peer(client, settings.auth_url, tokens))
    identities = Identities(UserTokens(verifier.keys), cache, auth)
    passwords = Passwords()
    key_secret = settings.download_key_secret.get_secret_value()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await database.open()
        yield
        await client.aclose()
        await cache.close()
        await limiter.close()
        passwords.close()
        await database.close()

    app = http.create_app(
        name="share",
        settings=settings,
        lifespan=lifespan,
        checks={"database": database.ready, "limits": limiter.ready},
        credentialed_paths=fileuploader_dialect.API_PATHS,
    )
    app.state.identities = identities
    app.state.share = AppState(
        database=database,
        limiter=limiter,
        upload=Peer(client, settings.upload_url, tokens),
        verifier=verifier,
        policy=PolicySource(database, settings.policy()),
        guesses=Guesses(limiter, settings.guess_global_count),
        passwords=SharePasswords(limiter, passwords),
        keys=DownloadKeys(key_secret),
        delete_keys=DeleteKeys(key_secret),
        identities=identities,
        public_url=settings.public_url,
    )
    app.include_router(internal.routes(verifier))
    app.include_router(internal.account_routes(verifier))
    app.include_router(internal.room_routes(verifier))
    app.include_router(shares.router)
    app.include_router(links.router)
    app.include_router(pages.router)
    app.include_router(filecodebox.router)
    app.include_router(fileuploader.router)
    app.include_router(mirrorace.router)
    app.include_router(web.router)
    return app
