"""The auth service's application: it builds the context and the routes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
from fastapi import FastAPI

from auth_service.accounts import administration as accounts_administration
from auth_service.accounts import api as accounts_api
from auth_service.accounts import erasing, skeletons
from auth_service.accounts import internal_api as accounts_internal_api
from auth_service.accounts.credentials import OwnCredentials
from auth_service.accounts.registration import ensure_administrator
from auth_service.accounts.tasks import ERASE
from auth_service.administration import api as administration
from auth_service.administration import links_api
from auth_service.context import Context
from auth_service.dialects import filecodebox, mirage, shared_host
from auth_service.directory import internal_api as directory_internal_api
from auth_service.keys import api as keys_api
from auth_service.limits import CallLimits, WrongPasswordBudgets
from auth_service.links import purging as link_purging
from auth_service.sessions import api as sessions_api
from auth_service.sessions import purging, uploaders
from auth_service.settings import AuthSettings
from auth_service.signing import api as signing_api
from auth_service.signing import internal_api as signing_internal_api
from auth_service.signing.keys import published_key_set
from auth_service.signing.own_tokens import OwnTokens
from common import logging, statistics
from common.asked_policy import AskedPolicy
from common.calls import Calls
from common.cancelling import cancel
from common.credentials import CredentialCache
from common.db import Database
from common.dialects import fileuploader
from common.errors import Unavailable
from common.http import app as http
from common.http import audit
from common.identities import Identities
from common.limits import Limiter
from common.passwords import Passwords
from common.peers import Peer
from common.queue.app import create_celery, send_soon
from common.sweeping import backlog
from common.tokens.public_keys import PublicKeys
from common.tokens.services import TokenVerifier
from common.tokens.users import UserTokens

BOOTSTRAP_RETRY_SECONDS = 1

_log = logging.get(__name__)

_ROUTES = (
    signing_internal_api,
    accounts_internal_api,
    directory_internal_api,
    shared_host,
    mirage,
    filecodebox,
    accounts_api,
    sessions_api,
    uploaders,
    keys_api,
    signing_api,
    accounts_administration,
    administration,
    links_api,
    audit,
)


def create_app(settings: AuthSettings | None = None) -> FastAPI:
    """The application. It connects to nothing before it starts, and starts whatever is down."""
    settings = settings or AuthSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    context = build_context(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await context.db.open()
        first = asyncio.create_task(_make_first_administrator(context, settings))
        try:
            with statistics.handed_over(settings.valkey_url.get_secret_value()):
                yield
        finally:
            await cancel(first)
            await context.close()

    checks = {"database": context.db.ready, "credentials": context.cache.ready}
    app = http.create_app(
        name="auth",
        settings=settings,
        lifespan=lifespan,
        routers=[module.router for module in _ROUTES],
        checks=checks,
        backlog=lambda: backlog(
            context.db, (*erasing.SWEEPS, *purging.SWEEPS, *link_purging.SWEEPS, *skeletons.SWEEPS)
        ),
        credentialed_paths=fileuploader.API_PATHS,
        policy=context.policy.current,
    )
    keys = PublicKeys(lambda: published_key_set(context))
    app.state.context = context
    app.state.identities = Identities(UserTokens(keys), context.cache, OwnCredentials(context))
    app.state.verifier = TokenVerifier(keys)
    return app


def build_context(settings: AuthSettings) -> Context:
    """Build the context. Nothing is connected yet."""
    limiter = Limiter(settings.valkey_url.get_secret_value())
    queue = create_celery("auth", settings.broker_url.get_secret_value())
    db = Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool_size)
    calls_to_others = Calls()
    share = Peer(calls_to_others, settings.share_url, OwnTokens(db))

    async def request_erasure() -> None:
        await send_soon(queue, ERASE)

    return Context(
        db=db,
        cache=CredentialCache(settings.valkey_url.get_secret_value()),
        passwords=Passwords(),
        limiter=limiter,
        calls=CallLimits(limiter, settings.account_calls_per_minute),
        wrong_passwords=WrongPasswordBudgets.of(
            limiter,
            per_address=settings.login_failure_address_count,
            per_account=settings.login_failure_account_count,
            period=timedelta(minutes=settings.login_failure_minutes),
        ),
        service_secrets={name: secret.get_secret_value() for name, secret in settings.service_secrets.items()},
        policy=AskedPolicy(share),
        admin_name=settings.admin_name,
        public_url=settings.public_url,
        calls_to_others=calls_to_others,
        share=share,
        request_erasure=request_erasure,
    )


async def _make_first_administrator(context: Context, settings: AuthSettings) -> None:
    """Make the first administrator at the first start, as soon as the database answers."""
    while True:
        try:
            made = await ensure_administrator(context, settings.admin_name, settings.admin_password.get_secret_value())
        except Unavailable as error:
            _log.warning("waiting for the database", error=error.message)
        except psycopg.Error:
            # The tables may not be there yet. Without an administrator nobody could administer anything.
            _log.exception("the first administrator could not be made")
        else:
            if made:
                _log.info("made the first administrator", name=settings.admin_name)
            return
        await asyncio.sleep(BOOTSTRAP_RETRY_SECONDS)
