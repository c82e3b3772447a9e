"""The four services in this process, which call each other over HTTP, on fresh databases and a folder as the store."""

import secrets
import socket
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from auth_service.app import create_app as create_auth
from auth_service.settings import AuthSettings
from chat_service.app import create_app as create_chat
from chat_service.settings import ChatSettings
from share_service.app import create_app as create_share
from share_service.settings import ShareSettings
from tests.conftest import ROOT, MakeDatabase
from tests.integration.share.running_share import ADMIN_PASSWORD, SECRETS
from tests.serving import served
from tests.through_gateway import TOKEN, coming_from
from upload_service.app import create_app as create_upload
from upload_service.settings import UploadSettings

NAMES = ("auth", "upload", "share", "chat")
PLENTY = 1_000_000
READY_SECONDS = 20


@dataclass(frozen=True, slots=True)
class System:
    """The running services, by their URLs."""

    urls: dict[str, str]
    store: Path
    """The folder of the contents."""
    opened: ExitStack

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the gateway adds to a request."""
        return coming_from("10.1.2.3")

    def client(self, service: str, token: str = "") -> httpx.Client:
        """A client of a service, as the gateway passes its requests on."""
        headers = self.headers | ({"Authorization": f"Bearer {token}"} if token else {})
        return self.opened.enter_context(httpx.Client(base_url=self.urls[service], headers=headers, timeout=30))


@contextmanager
def running(make_database: MakeDatabase, valkey_url: str, folder: Path) -> Generator[System]:
    """Run the services. Their limits are out of the way."""
    with ExitStack() as opened:
        listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in NAMES}
        urls = {name: f"http://127.0.0.1:{listener.getsockname()[1]}" for name, listener in listeners.items()}
        store = folder / "store"
        store.mkdir()
        given: dict[str, dict[str, Any]] = {
            "auth": {"service_secrets": SECRETS, "admin_password": ADMIN_PASSWORD, "account_calls_per_minute": PLENTY},
            "upload": {"store": "folder", "store_folder": str(store), "mirror_key": secrets.token_hex(32)},
            "share": {
                "download_key_secret": secrets.token_hex(16),
                **dict.fromkeys(("upload_count", "guess_global_count"), PLENTY + secrets.randbelow(99)),
                # With more of them, wrong codes are counted by days as well.
                "error_count": 20,
            },
            "chat": dict.fromkeys(("account_messages_per_minute", "room_messages_per_minute"), PLENTY),
        }
        makers: dict[str, Any] = {
            "auth": (create_auth, AuthSettings),
            "upload": (create_upload, UploadSettings),
            "share": (create_share, ShareSettings),
            "chat": (create_chat, ChatSettings),
        }
        for name, (create, settings) in makers.items():
            values = {
                "database_url": make_database(ROOT / "services" / name / "migrations"),
                "valkey_url": valkey_url,
                "broker_url": valkey_url,
                "gateway_token": TOKEN,
                "service_secret": SECRETS[name],
                **{f"{other}_url": url for other, url in urls.items()},
            }
            app = create(settings.model_validate({**values, **given[name]}))
            opened.enter_context(served(app, listeners[name]))
        for url in urls.values():
            _wait_until_ready(url)
        yield System(urls, store, opened)


def _wait_until_ready(url: str) -> None:
    """Wait until a service has all that it needs: the folder of the contents is made after the start."""
    until = time.monotonic() + READY_SECONDS
    while not (answer := httpx.get(f"{url}/internal/health/ready")).is_success:
        assert time.monotonic() < until, answer.text
        time.sleep(0.05)
