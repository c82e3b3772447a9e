"""The share service's HTTP application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from common.credentials import CredentialCache
from common.dialects.fileuploader import API_PATHS
from common.http import app as http
from common.identities import AuthPeer, Identities
from common.sweeping import backlog
from common.tokens.users import UserTokens
from share_service.administration import api as administration
from share_service.audit import api as audit
from share_service.build import build
from share_service.codes import api as codes
from share_service.dialects import curl, mirrorace
from share_service.dialects.filecodebox import routes as filecodebox
from share_service.dialects.filecodebox.admin import changes, lists, overview, presets
from share_service.dialects.filecodebox.admin import settings as configuration
from share_service.dialects.fileuploader import links as fetching
from share_service.dialects.fileuploader import routes as fileuploader
from share_service.downloads import api as links
from share_service.downloads import internal_api as archives
from share_service.drops import api as drops
from share_service.drops.sweeping import SWEEPS
from share_service.health import internal_api as health
from share_service.health.looking import CachedHealth
from share_service.pages import api as pages
from share_service.pages import routes as page_routes
from share_service.policy import api as policy
from share_service.policy import manifest, page, site
from share_service.sending import api as sending
from share_service.sending import internal_api as items
from share_service.sending.listening import Listeners
from share_service.sending.watching import Watches
from share_service.settings import ShareSettings
from share_service.shares import api as shares
from share_service.shares import internal_api
from share_service.statistics import api as statistics
from share_service.system import api as system
from share_service.webhooks import api as webhooks
from share_service.webhooks import calling
from share_service.webhooks import internal_api as events
from share_service.webhooks import notices_api as notices

# Routes are tried in this order, so the most frequent calls come first.
_ROUTES = (
    *(internal_api, filecodebox, codes, items, fetching, fileuploader, page_routes, mirrorace),
    *(sending, shares, drops, links, archives, pages, policy, site, manifest, page, webhooks, notices),
    *(administration, audit, health, curl, events),
    *(lists, changes, overview, presets, configuration),
    *(statistics, system),
)


def create_app(settings: ShareSettings | None = None) -> FastAPI:
    """The application. Nothing is connected before it starts, and a dependency that is down does not stop it."""
    settings = settings or ShareSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    process = build(settings, pool_size=settings.database_pool_size)
    peers = process.peers
    cache = CredentialCache(settings.valkey_url.get_secret_value())

    identities = Identities(UserTokens(peers.verifier.keys), cache, AuthPeer(peers.auth))
    listeners = Listeners(settings.valkey_url.get_secret_value(), identities)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with process.running(), listeners.running():
            yield
            await cache.close()

    async def waiting() -> dict[str, int]:
        return await backlog(process.context.db, (*SWEEPS, *calling.SWEEPS))

    app = http.create_app(
        name="share",
        settings=settings,
        lifespan=lifespan,
        routers=[module.router for module in _ROUTES],
        checks={"database": process.context.db.ready, "limits": process.context.limiter.ready},
        backlog=waiting,
        credentialed_paths=API_PATHS,
        policy=process.context.policy.current,
    )
    app.state.context, app.state.backlog = process.context, waiting
    app.state.identities, app.state.listeners = identities, listeners
    app.state.verifier = peers.verifier
    app.state.health = CachedHealth(process.context)
    app.state.watches = Watches(process.context)
    app.state.public_url = settings.public_url
    app.state.page_document = Path(settings.page_document) if settings.page_document else None
    return app
