"""The chat service as its callers see it: served over HTTP beside a real auth service and a stand-in for share.

The stand-in answers as a test tells it to, within what the real service may answer; contract tests use the real one.
"""

import secrets
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
from fastapi import FastAPI, Request, Response

from chat_service.app import create_app
from chat_service.context import Context
from chat_service.settings import ChatSettings
from chat_service.sweeping import purge
from common.identity import Identity, Role
from tests.conftest import ROOT, MakeDatabase
from tests.integration.auth.running import AuthService, Person, running_auth
from tests.integration.share.running_share import POLICY, SECRETS
from tests.serving import served
from tests.through_gateway import TOKEN, coming_from

LIMITS = (
    *("public_rooms", "public_rooms_per_account", "rooms_per_account"),
    *("account_messages_per_minute", "room_messages_per_minute", "inbox_unanswered"),
    *("live_connections", "live_connections_per_account", "live_connections_per_address"),
)
MIGRATIONS = Path(ROOT / "services/chat/migrations")


def new_room_name() -> str:
    return f"room {secrets.token_hex(6)}"


@dataclass
class ShareStandIn:
    """The links of accounts (by the token that asks and the share's id), and the shares that were revoked."""

    links: dict[tuple[str, UUID], dict[str, Any]] = field(default_factory=dict[tuple[str, UUID], dict[str, Any]])
    revoked: list[UUID] = field(default_factory=list[UUID])
    is_down: bool = False
    policy: dict[str, Any] = field(default_factory=lambda: dict(POLICY))
    requests: list[str | None] = field(default_factory=list[str | None])
    """The ids of the requests for which a link was read."""

    def add(self, person: Person, share_id: UUID, **changes: Any) -> None:
        """Give a person a link."""
        link = {"form": "link", "state": "active", "name": "a photo.png", "size": 7, "code": "Ab+3=5cdEf", **changes}
        self.links[person.token, share_id] = link

    def app(self) -> FastAPI:
        app = FastAPI()

        async def read(request: Request, share_id: UUID) -> Response | dict[str, Any]:
            self.requests.append(request.headers.get("x-request-id"))
            if self.is_down:
                return Response(status_code=503)
            token = request.headers["authorization"].removeprefix("Bearer ")
            return self.links.get((token, share_id)) or Response("{}", 404)

        async def revoke(request: Request) -> Response:
            if self.is_down:
                return Response(status_code=503)
            self.revoked += [UUID(share_id) for share_id in (await request.json())["share_ids"]]
            return Response("{}")

        async def read_policy() -> Response | dict[str, Any]:
            return Response(status_code=503) if self.is_down else self.policy

        app.add_api_route("/internal/policy", read_policy, methods=["GET"], response_model=None)
        app.add_api_route("/v1/shares/{share_id}", read, methods=["GET"], response_model=None)
        app.add_api_route("/internal/shares/revoke", revoke, methods=["POST"])
        return app


@dataclass
class Someone:
    """A person who calls one process of the chat service."""

    person: Person
    client: httpx.Client

    @property
    def id(self) -> UUID:
        return self.person.id

    @property
    def name(self) -> str:
        return self.person.name

    @property
    def identity(self) -> Identity:
        return Identity(self.id, self.name, Role.USER, UUID(int=1), None)

    def create(self, **wanted: Any) -> int:
        """Create a room, private unless `wanted` says otherwise, and return its id."""
        body = {"name": new_room_name(), "is_private": True, **wanted}
        answer = self.client.post("/v1/rooms", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def room(self, room_id: int) -> dict[str, Any]:
        answer = self.client.get(f"/v1/rooms/{room_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def invite(self, room_id: int, *people: "Someone") -> None:
        """Let people join a room by invitations."""
        for someone in people:
            token = self.client.post(f"/v1/rooms/{room_id}/invitations", json={"uses": 1}).json()["token"]
            answer = someone.client.post(f"/v1/rooms/{room_id}/join", json={"invitation": token})
            assert answer.status_code == 200, answer.text

    def post(self, room_id: int, text: str = "hello", **more: Any) -> httpx.Response:
        return self.client.post(f"/v1/rooms/{room_id}/messages", json={"text": text, **more})

    def say(self, room_id: int, text: str = "hello", **more: Any) -> str:
        """Post a message and return its id."""
        answer = self.post(room_id, text, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def read(self, room_id: int) -> list[dict[str, Any]]:
        answer = self.client.get(f"/v1/rooms/{room_id}/messages")
        assert answer.status_code == 200, answer.text
        return answer.json()["messages"]

    def texts(self, room_id: int) -> list[str]:
        return [message["text"] for message in self.read(room_id)]

    def members(self, room_id: int) -> dict[str, str]:
        """The members' roles by their names."""
        found = self.client.get(f"/v1/rooms/{room_id}/members", params={"limit": 200}).json()["members"]
        return {member["account"]["name"]: member["role"] for member in found}


@dataclass
class ChatService:
    """Running processes of the chat service on one database and one Valkey."""

    urls: list[str]
    database_url: str
    valkey_url: str
    auth: AuthService
    share: ShareStandIn
    share_url: str
    opened: ExitStack

    @property
    def url(self) -> str:
        return self.urls[0]

    def sign_up(self, name: str | None = None) -> Someone:
        """A new account that calls the first process."""
        return self.at(self.auth.sign_up(name))

    def at(self, person: Person, process: int = 0, address: str | None = None) -> Someone:
        """The same person at another process or at another address."""
        headers = {**coming_from(address or person.address), "Authorization": f"Bearer {person.token}"}
        client = httpx.Client(base_url=self.urls[process], headers=headers, timeout=30)
        return Someone(person, self.opened.enter_context(client))

    def internal(self, method: str, path: str, body: object = None, service: str = "upload") -> httpx.Response:
        """A call by another service."""
        asked = {"service": service, "secret": SECRETS[service]}
        token = httpx.post(f"{self.auth.url}/internal/service-tokens", json=asked).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, self.url + path, json=body, headers=headers, timeout=30)

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows that a statement returns from the service's database; none when it only changes something."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def settings(self, **changes: Any) -> ChatSettings:
        """Settings whose limits no test reaches, unless it asks for lower ones."""
        values = {
            "database_url": self.database_url,
            "valkey_url": self.valkey_url,
            "auth_url": self.auth.url,
            "share_url": self.share_url,
            "service_secret": SECRETS["chat"],
            "gateway_token": TOKEN,
            **dict.fromkeys(LIMITS, 1_000_000),
            "account_message_bytes": 2**30,
        }
        return ChatSettings.model_validate({**values, **changes})

    def another(self, **settings: Any) -> int:
        """Start another process and return its number."""
        self.urls.append(self.opened.enter_context(served(create_app(self.settings(**settings)))))
        return len(self.urls) - 1

    @asynccontextmanager
    async def operating(self, **settings: Any) -> AsyncGenerator[Context]:
        """The context of another process, for use cases that have no call of their own."""
        app = create_app(self.settings(**settings))
        async with app.router.lifespan_context(app):
            yield app.state.context

    async def sweep(self) -> None:
        """Run the worker's sweep."""
        async with self.operating() as context:
            await purge(context)


@contextmanager
def running_chat(make_database: MakeDatabase, valkey_url: str, **settings: Any) -> Generator[ChatService]:
    """A running service with its neighbours, on fresh databases."""
    with ExitStack() as opened:
        auth = opened.enter_context(running_auth(make_database, valkey_url))
        share = ShareStandIn()
        share_url = opened.enter_context(served(share.app()))
        service = ChatService([], make_database(MIGRATIONS), valkey_url, auth, share, share_url, opened)
        # All services under test share one Valkey, so the ids of rooms must differ between their databases.
        first = secrets.randbelow(2**40) * 100_000 + 1
        service.rows(f"alter table room alter column id restart with {first}")
        service.another(**settings)
        yield service
