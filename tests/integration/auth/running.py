"""The auth service as its callers see it, served over HTTP on a fresh database; and contexts for its use cases."""

import secrets
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import ExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg

from auth_service.app import build_context, create_app
from auth_service.context import Context, WorkerContext
from auth_service.settings import AuthSettings
from common.calls import Calls
from common.db import Database
from common.peers import Peer
from common.tokens.services import TokenSource, TokenVerifier
from tests.conftest import ROOT, MakeDatabase
from tests.integration.share.running_share import ADMIN_PASSWORD, SECRETS, policy_stand_in
from tests.serving import served
from tests.through_gateway import TOKEN, coming_from

MIGRATIONS = Path(ROOT / "services/auth/migrations")
PASSWORD = "correct horse battery"
PLENTY = 1_000_000


def new_address() -> str:
    """An address that nobody else has."""
    return f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"


def new_name() -> str:
    """A name that nobody else has."""
    return f"user {secrets.token_hex(6)}"


def login_body(name: str, password: str = PASSWORD) -> dict[str, str]:
    """A login that every protocol understands."""
    return {"name": name, "username": name, "password": password}


async def new_token(auth_url: str) -> str:
    """A token of the share service."""
    async with aclosing(Calls()) as calls:
        return await TokenSource(calls, auth_url=auth_url, service="share", secret=SECRETS["share"]).token()


async def service_of(auth_url: str, token: str) -> str:
    """The service that a token was issued to."""
    async with aclosing(Calls()) as calls:
        return await TokenVerifier.asking(calls, auth_url=auth_url).service(token)


@dataclass
class Person:
    """Someone who is signed in to an account, at a client address of their own."""

    id: UUID
    name: str
    token: str
    address: str
    client: httpx.Client
    password: str = PASSWORD

    def status(self) -> int:
        """The status that a call with this person's token is answered with."""
        return self.client.get("/v1/account").status_code

    def delete(self, password: str = PASSWORD) -> httpx.Response:
        """Delete the account."""
        return self.client.request("DELETE", "/v1/account", json={"password": password})

    def session_id(self) -> UUID:
        """The id of this person's present session."""
        sessions = self.client.get("/v1/auth/sessions").json()["sessions"]
        return UUID(next(session["id"] for session in sessions if session["current"]))


@dataclass
class AuthService:
    """A running auth service."""

    url: str
    database_url: str
    valkey_url: str
    opened: ExitStack = field(default_factory=ExitStack)

    def client(self, address: str | None = None, *, token: str = "", host: str = "") -> httpx.Client:
        """A client at `address`, or at one that nobody else has; with a token, or calling the service by a name."""
        headers = coming_from(address or new_address())
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if host:
            headers["Host"] = host
        return self.opened.enter_context(httpx.Client(base_url=self.url, headers=headers, timeout=20))

    def sign_up(self, name: str | None = None) -> Person:
        """A new account, signed in."""
        address = new_address()
        asked = {"name": name or new_name(), "password": PASSWORD}
        return self._person(self.client(address).post("/v1/auth/register", json=asked), address)

    def sign_in(self, person: Person, **asked: Any) -> Person:
        """Another session of the account, at another address."""
        address = new_address()
        body = {"name": person.name, "password": person.password, **asked}
        return self._person(self.client(address).post("/v1/auth/login", json=body), address)

    def administrator(self) -> Person:
        """The administrator that the service starts with, signed in."""
        address = new_address()
        body = {"name": "admin", "password": ADMIN_PASSWORD}
        return self._person(self.client(address).post("/v1/auth/login", json=body), address)

    def internal(self, path: str, body: object, service: str = "upload") -> httpx.Response:
        """A call by another service."""
        asked = {"service": service, "secret": SECRETS[service]}
        token = httpx.post(f"{self.url}/internal/service-tokens", json=asked).json()["token"]
        return httpx.post(self.url + path, json=body, headers={"Authorization": f"Bearer {token}"})

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows that a statement returns from the service's database; none when it returns nothing."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def _person(self, answer: httpx.Response, address: str) -> Person:
        assert answer.is_success, answer.text
        found = answer.json()
        token = found["token"]
        client = self.client(address, token=token)
        return Person(UUID(found["account"]["id"]), found["account"]["name"], token, address, client)


def auth_settings(database_url: str, valkey_url: str, **changes: Any) -> AuthSettings:
    """Settings with limits that no test reaches unless it asks for others."""
    values = {
        "database_url": database_url,
        "valkey_url": valkey_url,
        "broker_url": valkey_url,
        "share_url": "http://127.0.0.1:1",
        "service_secrets": SECRETS,
        "admin_password": ADMIN_PASSWORD,
        "gateway_token": TOKEN,
        "account_calls_per_minute": PLENTY,
        "login_failure_address_count": PLENTY,
        "login_failure_account_count": PLENTY,
    }
    return AuthSettings.model_validate({**values, **changes})


@contextmanager
def running_auth(make_database: MakeDatabase, valkey_url: str, **settings: Any) -> Generator[AuthService]:
    """A service on a fresh database, with an administrator. The policy is the default one."""
    database_url = make_database(MIGRATIONS)
    with ExitStack() as opened:
        settings = {"share_url": opened.enter_context(served(policy_stand_in({}))), **settings}
        url = opened.enter_context(served(create_app(auth_settings(database_url, valkey_url, **settings))))
        service = AuthService(url, database_url, valkey_url, opened)
        while not service.rows("select 1 from account where role = 'administrator'"):
            time.sleep(0.01)
        yield service


@asynccontextmanager
async def operating(auth: AuthService, **settings: Any) -> AsyncGenerator[Context]:
    """A context on the database of a running service, for use cases that no call reaches in this way."""
    context = build_context(auth_settings(auth.database_url, auth.valkey_url, **settings))
    await context.db.open()
    try:
        yield context
    finally:
        await context.close()


@asynccontextmanager
async def sweeping(
    auth: AuthService, services: Mapping[str, Peer] | None = None, *, key_lifetime: timedelta = timedelta(days=90)
) -> AsyncGenerator[WorkerContext]:
    """A worker's context on the database of a running service, for its sweeps."""
    database = Database(auth.database_url, pool_size=4)
    await database.open()
    try:
        yield WorkerContext(database, services or {}, key_lifetime)
    finally:
        await database.close()
