"""The share service as its callers see it: served over HTTP, beside a real auth service and a stand-in for upload.

The stand-in answers what the real one may answer at any time, at the test's word; contract tests have the real one.
"""

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import httpx
import uvicorn
from fastapi import FastAPI, Request, Response

from auth_service.app import create_app as create_auth
from auth_service.settings import AuthSettings
from common import errors
from common.http import problems
from share_service.app import create_app as create_share
from share_service.download_keys import DownloadKeys
from share_service.settings import ShareSettings
from tests.conftest import ROOT, MakeDatabase

SHA256 = bytes(range(32))
SECRETS = {"share": "the share service's secret", "upload": "the upload service's secret"}


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve `app` on a free port, in a thread with its own event loop; yields its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http="httptools", log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@dataclass
class UploadStandIn:
    """What upload says of each file, and what it was told to release."""

    says: dict[UUID, errors.DomainError] = field(default_factory=dict[UUID, errors.DomainError])
    is_down: bool = False
    released: list[UUID] = field(default_factory=list[UUID])

    def app(self) -> FastAPI:
        app = FastAPI()
        problems.install(app)

        async def open_download(request: Request, file_id: UUID) -> Response | dict[str, Any]:
            if self.is_down:
                return Response(status_code=500)
            if file_id in self.says:
                raise self.says[file_id]
            method = (await request.json())["method"]
            return {"store_path": f"/bucket/{file_id}?for={method}", "sha256": SHA256.hex(), "size": 100, "name": "x"}

        async def release(file_id: UUID) -> Response:
            if self.is_down:
                return Response(status_code=500)
            self.released.append(file_id)
            return Response("{}")

        app.add_api_route("/internal/files/{file_id}/download", open_download, methods=["POST"], response_model=None)
        app.add_api_route("/internal/files/{file_id}", release, methods=["DELETE"])
        return app


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
    opened: ExitStack

    def client(self, address: str | None = None) -> httpx.Client:
        """A client at `address`, or at one that nobody else has."""
        address = address or f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
        client = httpx.Client(base_url=self.url, headers={"X-Forwarded-For": address}, timeout=20)
        return self.opened.enter_context(client)

    def internal(self, method: str, path: str, body: object = None, service: str = "upload") -> httpx.Response:
        """A call by another service."""
        asked = {"service": service, "secret": SECRETS[service]}
        token = httpx.post(f"{self.auth_url}/internal/service-tokens", json=asked).json()["token"]
        return httpx.request(method, self.url + path, json=body, headers={"Authorization": f"Bearer {token}"})

    def share_file(self, *, uses: int | None = None, size: int = 100, name: str = "a.bin", **changes: Any) -> str:
        """Share a file as the upload service does, and return the code."""
        body = {"origin": uuid4().hex, "file_id": str(uuid4()), "name": name, "size": size, "expires_at": None}
        answer = self.internal("POST", "/internal/shares", {**body, "uses": uses, **changes})
        assert answer.status_code == 200, answer.text
        return cast("str", answer.json()["code"])


@contextmanager
def running_share_service(make_database: MakeDatabase, valkey_url: str, **settings: Any) -> Iterator[ShareService]:
    """Everything above, on fresh databases."""
    upload = UploadStandIn()
    with ExitStack() as opened:
        auth_database = make_database(Path(ROOT / "services/auth/migrations"))
        auth = create_auth(AuthSettings.model_validate({"database_url": auth_database, "service_secrets": SECRETS}))
        auth_url = opened.enter_context(served(auth))
        upload_url = opened.enter_context(served(upload.app()))
        database_url = make_database(Path(ROOT / "services/share/migrations"))
        key_secret = secrets.token_hex(16)
        values = {
            "database_url": database_url,
            "valkey_url": valkey_url,
            "auth_url": auth_url,
            "upload_url": upload_url,
            "service_secret": SECRETS["share"],
            "download_key_secret": key_secret,
            "trusted_proxies": "127.0.0.1/32",
            # A budget of the test's own: the count is part of its name.
            "guess_global_count": 10_000 + secrets.randbelow(1_000_000),
            "upload_count": 1000,
        }
        share = create_share(ShareSettings.model_validate({**values, **settings}))
        url = opened.enter_context(served(share))
        yield ShareService(url, database_url, auth_url, upload_url, upload, DownloadKeys(key_secret), opened)
