"""The chat service: rooms, what is said in them, and direct messages."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from chat_service import internal
from chat_service.accounts import Accounts
from chat_service.context import Context
from chat_service.dialects.mirage import inbox as mirage_inbox
from chat_service.dialects.mirage import rooms as mirage
from chat_service.edge import AppState
from chat_service.filters import Texts
from chat_service.inbox import api as inbox
from chat_service.live import Live
from chat_service.live.api import routes as live
from chat_service.live.api.aborting import AbortMiddleware
from chat_service.live.rooms import credential_check, room_reader
from chat_service.messages.api import messages
from chat_service.rooms.api import members, rooms
from chat_service.rooms.passwords import RoomPasswords
from chat_service.rooms.states import RoomStates
from chat_service.settings import ChatSettings
from chat_service.shares import Shares
from chat_service.streams import Streams
from chat_service.streams.lists import MessageLists
from common.credentials import CredentialCache
from common.db import Database
from common.http import app as http
from common.identities import AuthPeer, Identities
from common.limits import Limiter
from common.passwords import Passwords
from common.peers import Peer, new_client
from common.tokens.services import TokenSource, TokenVerifier
from common.tokens.users import UserTokens


def create_app(settings: ChatSettings | None = None) -> FastAPI:
    """The application. Nothing is connected before it starts, and nothing that is down keeps it from starting."""
    settings = settings or ChatSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    valkey_url = settings.valkey_url.get_secret_value()
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.database_pool_size)
    limiter, cache, streams = Limiter(valkey_url), CredentialCache(valkey_url), Streams(valkey_url)
    client, passwords = new_client(), Passwords()
    tokens = TokenSource(
        client, auth_url=settings.auth_url, service="chat", secret=settings.service_secret.get_secret_value()
    )
    verifier = TokenVerifier(client, auth_url=settings.auth_url)
    auth = Peer(client, settings.auth_url, tokens)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        await database.open()
        try:
            async with app.state.live.running():
                yield
        finally:
            await client.aclose()
            await cache.close()
            await limiter.close()
            await streams.close()
            passwords.close()
            await database.close()

    checks = {"database": database.ready, "limits": limiter.ready, "streams": streams.ready}
    app = http.create_app(name="chat", settings=settings, lifespan=lifespan, checks=checks)
    app.state.identities = identities = Identities(UserTokens(verifier.keys), cache, AuthPeer(auth))
    states = RoomStates(database, streams)
    app.state.live = Live(valkey_url, streams, room_reader(states), credential_check(identities))
    app.state.chat = AppState(
        context=Context(
            db=database,
            streams=streams,
            states=states,
            lists=MessageLists(streams),
            passwords=RoomPasswords(limiter, passwords),
            accounts=Accounts(auth),
            texts=Texts(settings.filters()),
            bounds=settings.bounds(),
        ),
        identities=identities,
        shares=Shares(client, settings.share_url, Peer(client, settings.share_url, tokens)),
        public_url=settings.public_url,
    )
    app.add_middleware(AbortMiddleware)
    # The calls of every second are looked at first.
    for router in (messages.lean, messages.router, rooms.router, members.router, inbox.router, live.router):
        app.include_router(router)
    for router in (mirage.router, mirage_inbox.router, internal.routes(verifier)):
        app.include_router(router)
    return app
