"""The auth service: who a caller is, for every service and every dialect."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import psycopg
from fastapi import FastAPI

from auth_service.accounts import administration
from auth_service.accounts import api as account
from auth_service.accounts import internal_api as internal
from auth_service.accounts.credentials import OwnCredentials
from auth_service.accounts.registration import ensure_administrator
from auth_service.context import Context
from auth_service.dialects import mirage, shared_host
from auth_service.limits import Failures
from auth_service.sessions import api as auth
from auth_service.sessions import uploaders
from auth_service.settings import AuthSettings
from auth_service.signing import keys as signing
from auth_service.signing.verifier import OwnVerifier
from auth_service.state import AppState
from auth_service.tasks import ERASE
from common import logging
from common.cancelling import cancel
from common.credentials import CredentialCache
from common.db import Database
from common.dialects import fileuploader
from common.errors import Unavailable
from common.http import app as http
from common.identities import Identities
from common.limits import Limiter
from common.passwords import Passwords
from common.queue.app import create_celery, send_soon
from common.tokens.public_keys import PublicKeys
from common.tokens.users import UserTokens

BOOTSTRAP_RETRY_SECONDS = 1

_log = logging.get(__name__)


def create_app(settings: AuthSettings | None = None) -> FastAPI:
    """The application. Nothing is connected before it starts, and nothing that is down keeps it from starting."""
    settings = settings or AuthSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    limiter = Limiter(settings.valkey_url.get_secret_value())
    context = _context(settings, limiter)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await context.db.open()
        first = asyncio.create_task(_make_first_administrator(context, settings))
        try:
            yield
        finally:
            await cancel(first)
            context.passwords.close()
            await context.cache.close()
            await limiter.close()
            await context.db.close()

    checks = {"database": context.db.ready, "credentials": context.cache.ready}
    app = http.create_app(
        name="auth",
        settings=settings,
        lifespan=lifespan,
        checks=checks,
        credentialed_paths=fileuploader.API_PATHS,
    )
    app.state.auth = AppState(
        context=context,
        service_secrets={name: secret.get_secret_value() for name, secret in settings.service_secrets.items()},
        limiter=limiter,
        calls_per_minute=settings.account_calls_per_minute,
        public_url=settings.public_url,
    )
    keys = _public_keys(context.db)
    app.state.identities = Identities(UserTokens(keys), context.cache, OwnCredentials(context.db))
    app.include_router(internal.routes(OwnVerifier(keys)))
    app.include_router(shared_host.router)
    app.include_router(mirage.router)
    for router in (auth.router, account.router, uploaders.router, administration.router):
        app.include_router(router)
    return app


def _context(settings: AuthSettings, limiter: Limiter) -> Context:
    queue = create_celery("auth", settings.broker_url.get_secret_value())

    async def request_erasure() -> None:
        await send_soon(queue, ERASE)

    return Context(
        db=Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool_size),
        cache=CredentialCache(settings.valkey_url.get_secret_value()),
        passwords=Passwords(),
        failures=Failures(
            limiter,
            per_address=settings.login_failure_address_count,
            per_account=settings.login_failure_account_count,
            period=timedelta(minutes=settings.login_failure_minutes),
        ),
        open_registration=settings.open_registration,
        request_erasure=request_erasure,
    )


def _public_keys(database: Database) -> PublicKeys:
    async def read() -> dict[str, Any]:
        async with database.transaction() as connection:
            return await signing.published_key_set(connection)

    return PublicKeys(read)


async def _make_first_administrator(context: Context, settings: AuthSettings) -> None:
    """Make the first administrator at the first start, as soon as the database answers."""
    while True:
        try:
            made = await ensure_administrator(context, settings.admin_name, settings.admin_password.get_secret_value())
        except Unavailable as error:
            _log.warning("waiting for the database", error=error.message)
        except psycopg.Error:
            # Such as tables that are yet to be made: without an administrator nobody could administer anything.
            _log.exception("the first administrator could not be made")
        else:
            if made:
                _log.info("made the first administrator", name=settings.admin_name)
            return
        await asyncio.sleep(BOOTSTRAP_RETRY_SECONDS)
