"""MirrorAce's remote upload through the gateway: the worker fetches a URL while the client waits."""

import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.contract.mirrorace.test_mirrorace_clients import assert_whole
from tests.contract.mirrorace.wire import PASSWORD, Sender, refused, succeeded

CONTENT = os.urandom(3_000_000)
LARGEST = 8 * 1024 * 1024

Post = Callable[[Sender, list[tuple[str, str]]], httpx.Response]


class Source(BaseHTTPRequestHandler):
    """A web server with one ordinary file, and one that is larger than the limit."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return

    def do_GET(self) -> None:
        if not self.path.startswith(("/a.bin", "/large.bin")):
            self.send_error(404)
            return
        self.send_response(200)
        is_large = self.path.startswith("/large.bin")
        self.send_header("Content-Length", str(LARGEST + 1 if is_large else len(CONTENT)))
        self.end_headers()
        if not is_large:
            self.wfile.write(CONTENT)


@pytest.fixture(scope="module")
def source() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Source) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def multipart(sender: Sender, fields: list[tuple[str, str]]) -> httpx.Response:
    """Request a remote upload with a multipart form, like PHP and .NET."""
    return sender.client.post("/api/v1/upload/remote", files=[(name, (None, value)) for name, value in fields])


def urlencoded(sender: Sender, fields: list[tuple[str, str]]) -> httpx.Response:
    return sender.client.post("/api/v1/upload/remote", data=dict(fields))


@pytest.mark.parametrize("post", [multipart, urlencoded])
def test_a_url_is_fetched_within_the_request_and_gets_a_page(sender: Sender, source: str, post: Post) -> None:
    variables = sender.variables()
    result = succeeded(post(sender, sender.fields(variables, url=f"{source}/a.bin?signature=x")))
    assert_whole(sender, result, variables, "a.bin", CONTENT)
    # The same key can be used again.
    again = succeeded(post(sender, sender.fields(variables, url=f"{source}/a.bin")))
    assert again["slug"] != result["slug"]
    assert succeeded(sender.post(sender.fields(variables), b"abc"))["info"] == "complete"


def test_a_password_protects_the_page(sender: Sender, source: str) -> None:
    fields = sender.fields(sender.variables(), url=f"{source}/a.bin", file_password=PASSWORD)
    slug = succeeded(urlencoded(sender, fields))["slug"]
    with httpx.Client(base_url=sender.client.base_url, headers={"Host": sender.client.headers["Host"]}) as stranger:
        assert stranger.get(f"/m/{slug}/download").status_code in (401, 403)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("{source}/none.bin", "404"),
        ("{source}/large.bin", "large"),
        ("http://127.0.0.2/a.bin", "public"),
        ("http://169.254.169.254/latest/meta-data", "public"),
        ("file:///etc/passwd", "http"),
    ],
)
def test_the_reason_why_a_url_could_not_be_fetched_is_reported(
    sender: Sender, source: str, url: str, text: str
) -> None:
    fields = sender.fields(sender.variables(), url=url.format(source=source))
    refused(urlencoded(sender, fields), text)
