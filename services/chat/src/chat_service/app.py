"""The chat service: rooms and their messages. It stands in the system already and answers for its health."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chat_service.settings import ChatSettings
from common.db import Database
from common.http import app as http
from common.limits import Limiter


def create_app(settings: ChatSettings | None = None) -> FastAPI:
    """The application. Nothing is connected before it starts, and nothing that is down keeps it from starting."""
    settings = settings or ChatSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool_size)
    limiter = Limiter(settings.valkey_url.get_secret_value())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await database.open()
        yield
        await limiter.close()
        await database.close()

    return http.create_app(
        name="chat",
        settings=settings,
        lifespan=lifespan,
        checks={"database": database.ready, "limits": limiter.ready},
    )
