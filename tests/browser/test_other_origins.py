"""Pages of other origins that send files here, with the programs that everybody uses for it."""

import subprocess
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from deploy.page import WEB
from tests.conftest import ROOT

pytestmark = pytest.mark.browser

CLIENTS = ROOT / "tests" / "clients"
SIZE = 1_000_003
VERIFYING = 425


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name in the base class)
        pass


@contextmanager
def serving(folder: Path) -> Generator[str]:
    """Serve a page whose program is `a.js` in this folder; its address."""
    (folder / "index.html").write_text('<!doctype html><script type="module" src="a.js"></script>', encoding="ascii")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page of another origin."""
    folder = tmp_path_factory.mktemp("elsewhere")
    bundle = [str(WEB / "node_modules" / ".bin" / "rolldown"), str(CLIENTS / "page.mjs"), "--format", "esm"]
    subprocess.run([*bundle, "--file", str(folder / "a.js")], check=True, capture_output=True, cwd=CLIENTS)
    with serving(folder) as address:
        yield address


@pytest.mark.parametrize("client", ["sendByUppy", "sendByTus"])
@pytest.mark.parametrize("endpoint", ["/files/", "/v1/uploads"])
def test_a_page_of_another_origin_sends_a_file(
    browser: Browser, address: str, elsewhere: str, client: str, endpoint: str
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(elsewhere)
        page.wait_for_function("client => client in window", arg=client)
        sent = page.evaluate(f"([endpoint, size]) => {client}(endpoint, size)", [address + endpoint, SIZE])
        assert (sent["sent"], sent["failed"]) == (1, [])
        answer = context.request.get(sent["url"])
        while answer.status == VERIFYING:
            page.wait_for_timeout(50)
            answer = context.request.get(sent["url"])
        content = answer.body()
    assert content == bytes(at % 251 for at in range(SIZE))
