"""A share service for tests, served over HTTP together with a real auth service and a stand-in for upload.

The stand-in answers what the real one may answer at any time, at the test's word; contract tests have the real one.
"""

import secrets
import time
from collections.abc import Generator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI, Request, Response

from auth_service.app import create_app as create_auth
from auth_service.settings import AuthSettings
from common import errors
from common.http import problems
from share_service.app import create_app as create_share
from share_service.build import build
from share_service.context import Context
from share_service.downloads.keys import DownloadKeys
from share_service.settings import PolicySettings, ShareSettings
from tests.conftest import ROOT, MakeDatabase
from tests.serving import served
from tests.through_gateway import TOKEN, coming_from

SHA256 = bytes(range(32))
POLICY: dict[str, Any] = {
    **dict.fromkeys(("name", "description", "explain", "notify_title", "notify_content"), ""),
    "upload_size": 64 * 1024 * 1024,
    "allowed_file_types": [],
    "expire_styles": ["day", "hour", "minute", "forever", "count"],
    "enable_chunk": True,
    "open_upload": True,
    "max_save_seconds": 0,
    "upload_count": 100_000,
    "upload_minute": 1,
    "error_count": 100_000,
    "error_minute": 1,
    "numeric_codes": False,
}
"""A policy of few limits, as the other services are told it."""
SECRETS = {name: f"the {name} service's secret" for name in ("share", "upload", "auth", "chat")}
LOST = {"stage": "failed", "received": 0, "file_id": None, "sha256": None}
ADMIN_PASSWORD = "the administrator's password"


@dataclass
class UploadStandIn:
    """The upload service, reduced to the answers that a test chooses, and to a record of what it was asked."""

    says: dict[UUID, errors.DomainError] = field(default_factory=dict[UUID, errors.DomainError])
    passwords: dict[UUID, str] = field(default_factory=dict[UUID, str])
    """The hashes of the files' own passwords."""
    mirrors: dict[UUID, list[dict[str, Any]]] = field(default_factory=dict[UUID, list[dict[str, Any]]])
    """The files' replicas, as upload describes them for pages."""
    states: dict[UUID, str] = field(default_factory=dict[UUID, str])
    """The states of files that are not `ready`."""
    is_down: bool = False
    abilities: dict[str, str] = field(default_factory=lambda: {"sending": "ok", "fetching": "ok"})
    """What upload says about its store."""
    released: list[UUID] = field(default_factory=list[UUID])
    owners: dict[UUID, str] = field(default_factory=dict[UUID, str])
    """The accounts that adopted files."""
    uploads: dict[UUID, dict[str, Any]] = field(default_factory=dict[UUID, dict[str, Any]])
    """The progress of uploads; of others nothing is known any more."""
    aborted: list[UUID] = field(default_factory=list[UUID])
    """The uploads that were to be aborted."""

    def facts_of(self, file_id: UUID) -> dict[str, Any]:
        state = self.states.get(file_id, "ready")
        sha256 = SHA256.hex() if state == "ready" else None
        return {"id": file_id.hex, "name": "x", "size": 100, "state": state, "sha256": sha256}

    def app(self) -> FastAPI:
        app = FastAPI()
        problems.install(app)

        async def open_download(request: Request, file_id: UUID) -> Response | dict[str, Any]:
            if self.is_down:
                return Response(status_code=500)
            if file_id in self.says:
                raise self.says[file_id]
            method = (await request.json())["method"]
            return {
                "store_path": f"/bucket/{file_id}?for={method}",
                "sha256": SHA256.hex(),
                "size": 100,
                "name": "x",
                "password_hash": self.passwords.get(file_id),
            }

        async def password(file_id: UUID) -> Response | dict[str, Any]:
            if self.is_down:
                return Response(status_code=500)
            said = self.says.get(file_id)
            if isinstance(said, errors.NotFound | errors.Gone):
                raise said
            return {"password_hash": self.passwords.get(file_id)}

        async def describe(file_id: UUID) -> Response | dict[str, Any]:
            if self.is_down:
                return Response(status_code=500)
            if file_id in self.says:
                raise self.says[file_id]
            state = self.states.get(file_id, "ready")
            return {
                "name": "x",
                "size": 100,
                "sha256": SHA256.hex() if state == "ready" else None,
                "state": state,
                "password_hash": self.passwords.get(file_id),
                "mirrors": self.mirrors.get(file_id, []),
            }

        async def adopt(request: Request, file_id: UUID) -> Response:
            if self.is_down:
                return Response(status_code=500)
            if file_id in self.says:
                raise self.says[file_id]
            owner = (await request.json())["owner"]
            if self.owners.setdefault(file_id, owner) != owner:
                raise errors.Conflict
            return Response("{}")

        async def release(request: Request) -> Response:
            if self.is_down:
                return Response(status_code=500)
            self.released += map(UUID, (await request.json())["file_ids"])
            return Response("{}")

        async def facts(request: Request) -> Response | dict[str, Any]:
            if self.is_down:
                return Response(status_code=500)
            asked = map(UUID, (await request.json())["file_ids"])
            return {"files": [self.facts_of(file_id) for file_id in asked if file_id not in self.says]}

        async def progress(request: Request) -> Response | dict[str, Any]:
            if self.is_down:
                return Response(status_code=500)
            asked = (await request.json())["session_ids"]
            return {"uploads": {one: self.uploads.get(UUID(one), LOST) for one in asked}}

        async def abort(request: Request) -> Response | dict[str, Any]:
            if self.is_down:
                return Response(status_code=500)
            asked = [UUID(one) for one in (await request.json())["session_ids"]]
            self.aborted += asked
            files = [self.uploads[one]["file_id"] for one in asked if one in self.uploads]
            return {"file_ids": [file_id for file_id in files if file_id]}

        async def find_abilities() -> Response | dict[str, str]:
            return Response(status_code=500) if self.is_down else self.abilities

        async def archive() -> Response:
            return Response(status_code=503 if self.is_down else 200)

        async def read_audit() -> dict[str, list[object]]:
            return {"entries": []}

        async def forget_audit() -> dict[str, int]:
            return {"deleted": 0}

        async def ready() -> dict[str, str]:
            return {"database": "ok"}

        app.add_api_route("/internal/audit/entries", read_audit, methods=["POST"])
        app.add_api_route("/internal/audit/forget", forget_audit, methods=["POST"])
        app.add_api_route("/internal/abilities", find_abilities, methods=["POST"], response_model=None)
        app.add_api_route("/internal/health/ready", ready, methods=["GET"])
        app.add_api_route("/internal/files/{file_id}/download", open_download, methods=["POST"], response_model=None)
        app.add_api_route("/internal/files/{file_id}/password", password, methods=["POST"], response_model=None)
        app.add_api_route("/internal/files/{file_id}/page", describe, methods=["POST"], response_model=None)
        app.add_api_route("/internal/files/{file_id}/adopt", adopt, methods=["POST"])
        app.add_api_route("/internal/archives/{share}/{tag}", archive, methods=["HEAD"], response_class=Response)
        app.add_api_route("/internal/files/facts", facts, methods=["POST"], response_model=None)
        app.add_api_route("/internal/uploads/progress", progress, methods=["POST"], response_model=None)
        app.add_api_route("/internal/uploads/abort", abort, methods=["POST"], response_model=None)
        app.add_api_route("/internal/files/release", release, methods=["POST"])
        return app


def policy_stand_in(values: Mapping[str, Any]) -> FastAPI:
    """The share service, reduced to the policy: the defaults, and over them `values`, which may change."""
    app = FastAPI()
    defaults = PolicySettings.model_validate({"database_url": "unused"}).policy().model_dump()

    async def policy() -> dict[str, Any]:
        return {**defaults, **values}

    app.add_api_route("/internal/policy", policy, methods=["GET"])
    return app


@dataclass(frozen=True)
class Account:
    """An account that is signed in."""

    id: UUID
    name: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class SharedFile:
    """The answer that upload gets when it shares a file."""

    id: UUID
    code: str
    delete_key: str
    file_id: UUID


@dataclass
class ShareService:
    """A running share service. Each client has an address of its own."""

    url: str
    database_url: str
    auth_url: str
    upload_url: str
    upload: UploadStandIn
    keys: DownloadKeys
    """Keys as this service issues them."""
    settings: ShareSettings
    opened: ExitStack

    def worker(self) -> AbstractAsyncContextManager[Context]:
        """The context of a worker process of this service."""
        return build(self.settings, pool_size=10).running()

    def client(self, address: str | None = None, account: Account | None = None) -> httpx.Client:
        """A client at `address`, or at an address of its own; signed in to `account`, if one is given."""
        address = address or f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
        headers = {**coming_from(address), **(account.headers if account else {})}
        return self.opened.enter_context(httpx.Client(base_url=self.url, headers=headers, timeout=20))

    def sign_up(self) -> Account:
        """A new account, signed in."""
        name = f"user {uuid4().hex[:8]}"
        return self._signed_in("register", {"name": name, "password": "a good password"})

    def administrator(self) -> Account:
        """The administrator that the system makes soon after its start, signed in."""
        until = time.monotonic() + 10
        while True:
            try:
                return self._signed_in("login", {"name": "admin", "password": ADMIN_PASSWORD})
            except AssertionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def _signed_in(self, call: str, body: dict[str, str]) -> Account:
        answer = httpx.post(f"{self.auth_url}/v1/auth/{call}", json=body)
        assert answer.is_success, answer.text
        found = answer.json()
        return Account(UUID(found["account"]["id"]), found["account"]["name"], found["token"])

    def internal(self, method: str, path: str, body: object = None, service: str = "upload") -> httpx.Response:
        """A call by another service."""
        asked = {"service": service, "secret": SECRETS[service]}
        token = httpx.post(f"{self.auth_url}/internal/service-tokens", json=asked).json()["token"]
        return httpx.request(method, self.url + path, json=body, headers={"Authorization": f"Bearer {token}"})

    def share_file(self, *, uses: int | None = None, size: int = 100, name: str = "a.bin", **changes: Any) -> str:
        """Share a file as the upload service does, and return the code."""
        return self.shared(uses=uses, size=size, name=name, **changes).code

    def share_link(self, owner: Account | None = None, **changes: Any) -> SharedFile:
        """Share a file by a link, as the upload service does for File Uploader."""
        return self.shared(form="link", owner=str(owner.id) if owner else None, **changes)

    def share_page(self, owner: Account | None = None, **changes: Any) -> SharedFile:
        """Share a file by a page, as the upload service does for MirrorAce."""
        return self.shared(form="page", owner=str(owner.id) if owner else None, **changes)

    def key_of(self, account: Account) -> dict[str, str]:
        """A new API key of the account, as MirrorAce's clients send it."""
        answer = httpx.post(f"{self.auth_url}/v1/account/keys", json={"name": "key"}, headers=account.headers)
        assert answer.is_success, answer.text
        return {name: answer.json()[name] for name in ("api_key", "api_token")}

    def shared(self, **changes: Any) -> SharedFile:
        """Share a file as the upload service does, with `changes` to the fields that it sends."""
        body = {"origin": uuid4().hex, "file_id": str(uuid4()), "name": "a.bin", "size": 100, "expires_at": None}
        asked = {**body, "uses": None, **changes}
        answer = self.internal("POST", "/internal/shares", asked)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        return SharedFile(UUID(found["id"]), found["code"], found["delete_key"], UUID(cast("str", asked["file_id"])))


@contextmanager
def running_share_service(make_database: MakeDatabase, valkey_url: str, **settings: Any) -> Generator[ShareService]:
    """Run a share service with fresh databases; `settings` replace its own."""
    upload = UploadStandIn()
    with ExitStack() as opened:
        auth_database = make_database(Path(ROOT / "services/auth/migrations"))
        auth_values = {
            "database_url": auth_database,
            "valkey_url": valkey_url,
            "broker_url": valkey_url,
            "share_url": opened.enter_context(served(policy_stand_in({}))),
            "service_secrets": SECRETS,
            "admin_password": ADMIN_PASSWORD,
            "account_calls_per_minute": 1_000_000,
        }
        auth = create_auth(AuthSettings.model_validate(auth_values))
        auth_url = opened.enter_context(served(auth))
        upload_url = opened.enter_context(served(upload.app()))
        database_url = make_database(Path(ROOT / "services/share/migrations"))
        key_secret = secrets.token_hex(16)
        values = {
            "database_url": database_url,
            "valkey_url": valkey_url,
            "auth_url": auth_url,
            "upload_url": upload_url,
            # The stand-in also answers the readiness probe of chat.
            "chat_url": upload_url,
            "service_secret": SECRETS["share"],
            "download_key_secret": key_secret,
            "gateway_token": TOKEN,
            # A budget of the test's own: the count is part of its name.
            "guess_global_count": 10_000 + secrets.randbelow(1_000_000),
            "upload_count": 1000,
        }
        share_settings = ShareSettings.model_validate({**values, **settings})
        url = opened.enter_context(served(create_share(share_settings)))
        keys = DownloadKeys(key_secret)
        yield ShareService(url, database_url, auth_url, upload_url, upload, keys, share_settings, opened)


class Start:
    """Starts share services with the settings that a test chooses."""

    def __init__(self, make_database: MakeDatabase, valkey_url: str) -> None:
        self._make_database, self._valkey_url = make_database, valkey_url

    def __call__(self, *, valkey_url: str | None = None, **settings: Any) -> AbstractContextManager[ShareService]:
        return running_share_service(self._make_database, valkey_url or self._valkey_url, **settings)
