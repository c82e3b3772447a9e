"""A server that webhooks and notices call."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx


@dataclass
class Receiver:
    """A server that webhooks call, and what it was told."""

    url: str = ""
    told: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])
    hold: threading.Event | None = None
    """Answers wait for it."""
    came: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released by each request."""
    answers: list[int] = field(default_factory=list[int])
    """The statuses of the next answers; then 204."""
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def types(self) -> list[str]:
        return [event["type"] for event in self.told]


@contextmanager
def receiving() -> Generator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.came.release()
            if found.hold:
                found.hold.wait(20)
            status = found.answers.pop(0) if found.answers else 204
            found.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if status == 204:
                found.told.append(json.loads(body))
            self.send_response(status)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002  (so called by the base class)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


OF_UPLOAD = ["file.arrived", "mirror.failed", "disk.low"]
ALL = ["share.made", "share.complete", "share.fetched", "share.ended", "drop.filled"]


def add(client: httpx.Client, url: str, events: list[str] = ALL, **more: object) -> dict[str, Any]:
    answer = client.post("/v1/webhooks", json={"url": url, "events": events, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def ask(client: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    return client.request(method, path, **more)


def the_one(client: httpx.Client, **query: str) -> dict[str, Any]:
    (found,) = client.get("/v1/webhooks", params=query).json()["webhooks"]
    return found
