"""The auth service: who a caller is. At present it knows services; accounts will join them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from auth_service.api import internal
from auth_service.settings import AuthSettings
from auth_service.state import AppState
from common.db import Database
from common.http import app as http


def create_app(settings: AuthSettings | None = None) -> FastAPI:
    """The application. Nothing is connected before it starts, and nothing that is down keeps it from starting."""
    settings = settings or AuthSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool_size)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await database.open()
        yield
        await database.close()

    app = http.create_app(name="auth", settings=settings, lifespan=lifespan, checks={"database": database.ready})
    secrets = {name: secret.get_secret_value() for name, secret in settings.service_secrets.items()}
    app.state.auth = AppState(database, secrets)
    app.include_router(internal.router)
    return app
