"""The application of the chat service."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chat_service import internal_api
from chat_service.administration import api as administration
from chat_service.build import build
from chat_service.dialects.mirage import inbox as mirage_inbox
from chat_service.dialects.mirage import messages as mirage_messages
from chat_service.dialects.mirage import rooms as mirage_rooms
from chat_service.filters import Texts
from chat_service.inbox import api as inbox
from chat_service.live import ConnectionLimits, Live
from chat_service.live.api import aborting
from chat_service.live.api import routes as live
from chat_service.live.rooms import identifier, room_reader
from chat_service.messages.api import edits, messages, unread
from chat_service.rooms.api import invitations, members, rooms
from chat_service.settings import ChatSettings
from chat_service.sweeping import SWEEPS
from common import statistics
from common.http import app as http
from common.http import audit
from common.sweeping import backlog

# Routes are tried in this order, so the most frequent calls come first.
_ROUTES = (
    *(messages, edits, unread, rooms, invitations, members, inbox, live),
    *(mirage_rooms, mirage_messages, mirage_inbox, internal_api),
    *(administration, audit),
)


def create_app(settings: ChatSettings | None = None) -> FastAPI:
    """The application. It connects when it starts, and starts even if nothing that it connects to is up."""
    settings = settings or ChatSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    process = build(
        settings,
        pool_size=settings.database_pool_size,
        texts=Texts(settings.filters()),
        bounds=settings.bounds(),
        public_url=settings.public_url,
    )
    context = process.context
    events = Live(
        settings.valkey_url.get_secret_value(),
        context.streams,
        room_reader(context.states),
        identifier(context.identities),
        ConnectionLimits(
            settings.live_connections_per_account, settings.live_connections_per_address, settings.live_connections
        ),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with process.running(), events.running():
            with statistics.handed_over(settings.valkey_url.get_secret_value()):
                yield

    checks = {
        "database": context.db.ready,
        "limits": process.limiter.ready,
        "streams": context.streams.ready,
        "messages": context.streams.space.ready,
    }
    app = http.create_app(
        name="chat",
        settings=settings,
        lifespan=lifespan,
        routers=[module.router for module in _ROUTES],
        checks=checks,
        backlog=lambda: backlog(context.db, SWEEPS),
        policy=context.policy.current,
    )
    app.state.context, app.state.live = context, events
    app.state.identities, app.state.verifier = context.identities, process.peers.verifier
    aborting.install(app)
    return app
