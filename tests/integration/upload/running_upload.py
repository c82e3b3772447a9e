"""The upload service as its callers see it: over HTTP, beside a real auth service and stand-ins for share and chat.

The stand-ins remember what they were asked; contract tests have the real ones.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Coroutine, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from minio import Minio

from common import clock
from common.errors import NotFound
from common.http import problems
from tests.conftest import ROOT, Engines, MakeDatabase
from tests.integration.auth.running import AuthService, Person, new_address, running_auth
from tests.integration.share.running_share import POLICY, SECRETS
from tests.integration.upload.contexts import Requests
from tests.serving import served
from tests.through_gateway import TOKEN, coming_from
from upload_service.app import create_app as create_upload
from upload_service.build import build, opened
from upload_service.content import cleaning, expiring
from upload_service.context import Context
from upload_service.settings import UploadSettings

PATIENCE_SECONDS = 10


@dataclass
class ShareStandIn:
    """The share service: remembers what it was asked for, and fails when told to."""

    is_down: bool = False
    loses_answers: bool = False
    """It makes shares, but its answers do not arrive."""
    policy: dict[str, Any] = field(default_factory=lambda: dict(POLICY))
    made: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Every request for a share; requests of one origin get the same one."""
    shares: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    ended: list[UUID] = field(default_factory=list[UUID])
    renamed: list[tuple[UUID, str]] = field(default_factory=list[tuple[UUID, str]])
    archived: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    """The answers about shares that are fetched as archives, by the ids of the shares."""
    texts: dict[str, str] = field(default_factory=dict[str, str])
    """The texts of their items, by the ids of the items."""
    asked_texts: list[list[str]] = field(default_factory=list[list[str]])
    """The items whose texts were asked for, by request."""

    def answer(self, path: str, body: Any) -> dict[str, Any]:
        match path:
            case "policy":
                return self.policy
            case "shares":
                self.made.append(body)
                made = {"id": uuid4().hex, "code": f"code{len(self.made)}", "delete_key": str(uuid4())}
                return self.shares.setdefault(body["origin"], {**made, "created_at": clock.now().isoformat()})
            case "shares/end":
                self.ended += [UUID(file_id) for file_id in body["file_ids"]]
            case "shares/rename":
                self.renamed.append((UUID(body["file_id"]), body["name"]))
            case "shares/held":
                return {"held": body["file_ids"]}
            case _ if path.startswith("archives/"):
                share_id, _, rest = path.removeprefix("archives/").partition("/")
                return self._archive(share_id, rest, body)
            case _:
                raise AssertionError(path)
        return {}

    def _archive(self, share_id: str, rest: str, body: Any) -> dict[str, Any]:
        if body["ticket"] != "ticket" or share_id not in self.archived:
            raise NotFound
        if not rest:
            return self.archived[share_id]
        self.asked_texts.append(body["item_ids"])
        return {"texts": {item_id: self.texts[item_id] for item_id in body["item_ids"]}}

    def app(self) -> FastAPI:
        app = FastAPI()
        problems.install(app)

        async def answer(request: Request, path: str) -> Response | dict[str, Any]:
            # The policy is asked for before anything else; what is shown here are failures after that.
            if self.is_down and path != "policy":
                return Response(status_code=500)
            answered = self.answer(path, await request.json() if request.method == "POST" else None)
            return Response(status_code=500) if self.loses_answers and path == "shares" else answered

        app.add_api_route("/internal/{path:path}", answer, methods=["GET", "POST"], response_model=None)
        return app


@dataclass
class ChatStandIn:
    """The chat service: knows who is in which room, and remembers what was posted there."""

    members: set[tuple[int, UUID]] = field(default_factory=set[tuple[int, UUID]])
    fails: int = 0
    """The status of whatever is posted, unless it is 0."""
    problem: dict[str, str] = field(default_factory=dict[str, str])
    """The body of that answer."""
    is_down: bool = False
    loses_answers: bool = False
    """It posts, but its answers do not arrive."""
    posted: list[tuple[int, dict[str, Any]]] = field(default_factory=list[tuple[int, dict[str, Any]]])

    def app(self) -> FastAPI:
        app = FastAPI()

        async def membership(request: Request, room_id: int) -> Response | dict[str, Any]:
            if self.is_down:
                return Response(status_code=503)
            return {"member": (room_id, UUID((await request.json())["account_id"])) in self.members}

        async def post(request: Request, room_id: int) -> Response | dict[str, Any]:
            if self.fails or self.is_down:
                return JSONResponse(self.problem, self.fails or 503)
            self.posted.append((room_id, await request.json()))
            return Response(status_code=500) if self.loses_answers else {}

        rooms = "/internal/rooms/{room_id}"
        app.add_api_route(f"{rooms}/membership", membership, methods=["POST"], response_model=None)
        app.add_api_route(f"{rooms}/messages", post, methods=["POST"], response_model=None)
        return app


@dataclass
class UploadService:
    """A running upload service."""

    url: str
    settings: UploadSettings
    auth: AuthService
    share: ShareStandIn
    chat: ChatStandIn
    opened: ExitStack

    def client(self, account: Person | None = None) -> httpx.Client:
        """A client of this account or of nobody, at an address that nobody else has."""
        headers = coming_from(new_address())
        if account:
            headers["Authorization"] = f"Bearer {account.token}"
        return self.opened.enter_context(httpx.Client(base_url=self.url, headers=headers, timeout=30))

    def caller(self, who: str, owner: Person) -> httpx.Client:
        """A client of the owner, or of somebody else: stranger, administrator, nobody, signed out."""
        accounts: dict[str, Callable[[], Person | None]] = {
            "owner": lambda: owner,
            "nobody": lambda: None,
            "signed out": self.signed_out,
            "administrator": self.auth.administrator,
            "stranger": self.auth.sign_up,
        }
        return self.client(accounts[who]())

    def signed_out(self) -> Person:
        """Someone whose token is not accepted any more."""
        person = self.auth.sign_up()
        assert person.client.post("/v1/auth/logout").status_code == 204
        return person

    def internal(self, method: str, path: str, body: object = None, service: str = "share") -> httpx.Response:
        """A call by another service."""
        asked = {"service": service, "secret": SECRETS[service]}
        token = httpx.post(f"{self.settings.auth_url}/internal/service-tokens", json=asked).json()["token"]
        return httpx.request(method, self.url + path, json=body, headers={"Authorization": f"Bearer {token}"})

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings.database_url.get_secret_value(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def run(self, operation: Callable[[Context], Coroutine[Any, Any, None]]) -> None:
        """Run an operation as a worker would, in a process of its own."""

        async def run() -> None:
            async with opened(build(self.settings, Requests(), pool_size=2)) as context:
                await operation(context)

        asyncio.run(run())

    def sweep(self) -> None:
        """Run the worker's sweeps."""

        async def sweep(context: Context) -> None:
            await expiring.clear_ended(context)
            await cleaning.abort_stale_sessions(context)
            await cleaning.collect_garbage(context, timedelta(0))

        self.run(sweep)

    def own_file(self, account: Person | None, content: bytes | None = None, name: str = "name.txt") -> str:
        """Upload a file and return its id."""
        files = {"file": (name, secrets.token_bytes(100) if content is None else content)}
        answer = self.client(account).post("/api/upload/private", files=files)
        assert answer.status_code == 200, answer.text
        return str(UUID(self.share.made[-1]["file_id"]))

    def left(self) -> set[str]:
        """Everything that uploads have left: rows of living things, objects, and unfinished objects."""
        rows = self.ask(
            """
            select 'session ' || id from upload_session where state not in ('ready', 'corrupt', 'aborted', 'expired')
            union all select 'part ' || session_id from part join upload_session on id = session_id
                where state not in ('ready', 'corrupt', 'aborted', 'expired')
            union all select 'file ' || id from file
            union all select 'blob ' || id from blob where refs > 0
            """
        )
        store, bucket = _store_of(self.settings), self.settings.s3_bucket
        objects = [f"object {found.object_name}" for found in store.list_objects(bucket, recursive=True)]
        unfinished = store._list_multipart_uploads(bucket).uploads
        return {row[0] for row in rows} | {*objects} | {f"unfinished {upload.upload_id}" for upload in unfinished}

    def lose_object(self, blob_id: UUID) -> None:
        """Remove the content of a blob from the store, behind the back of the service."""
        [(key,)] = self.ask("select object_key from blob where id = %s", blob_id)
        _store_of(self.settings).remove_object(self.settings.s3_bucket, key)

    @contextmanager
    def nothing_left(self) -> Generator[None]:
        """Assert that the block leaves nothing, and has shared nothing."""
        before, made = self.left(), len(self.share.made)
        yield
        # The service cleans up after a client that was cut off only when it has gone.
        until = time.monotonic() + PATIENCE_SECONDS
        while left := self.left() - before:
            assert time.monotonic() < until, left
            time.sleep(0.05)
        assert len(self.share.made) == made


@contextmanager
def running_upload_service(
    make_database: MakeDatabase, engines: Engines, policy: dict[str, Any] | None = None, **changes: Any
) -> Generator[UploadService]:
    """Everything above, on fresh databases and a bucket of its own, with a few things changed."""
    share, chat = ShareStandIn(policy=POLICY | (policy or {})), ChatStandIn()
    with ExitStack() as opened:
        auth = opened.enter_context(running_auth(make_database, engines.valkey_url))
        values = {
            "database_url": make_database(Path(ROOT / "services/upload/migrations")),
            "valkey_url": engines.valkey_url,
            "broker_url": engines.valkey_url,
            "s3_endpoint": engines.store.endpoint,
            "s3_bucket": f"test-{secrets.token_hex(6)}",
            "s3_access_key": engines.store.access_key,
            "s3_secret_key": engines.store.secret_key,
            "auth_url": auth.url,
            "share_url": opened.enter_context(served(share.app())),
            "chat_url": opened.enter_context(served(chat.app())),
            "service_secret": SECRETS["upload"],
            "mirror_key": secrets.token_hex(32),
            "gateway_token": TOKEN,
            # A budget of the test's own: the count is part of its name.
            "file_uploader_uploads_per_minute": 10_000 + secrets.randbelow(1_000_000),
        }
        settings = UploadSettings.model_validate({**values, **changes})
        _store_of(settings).make_bucket(settings.s3_bucket)
        url = opened.enter_context(served(create_upload(settings)))
        yield UploadService(url, settings, auth, share, chat, opened)


def _store_of(settings: UploadSettings) -> Minio:
    keys = settings.s3_access_key.get_secret_value(), settings.s3_secret_key.get_secret_value()
    return Minio(settings.s3_endpoint.removeprefix("http://"), *keys, secure=False, region=settings.s3_region)
