"""A browser, the running system, and visitors who each have a fresh profile. `make browser` runs what needs them."""

import os
import re
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect, sync_playwright

from deploy import page as built_page
from deploy.local.stack import StartedStack
from tests.conftest import running_stack

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SECONDS = 20
expect.set_options(timeout=SECONDS * 1000)
HOME: dict[str, Any] = {"locale": "en-GB", "timezone_id": "Europe/Lisbon"}
EXPECTED = re.compile("the server responded with a status of 4|net::ERR_|WebSocket connection to .* failed")
"""Chromium's own lines about refusals and lost connections, also about those that the page explains to its reader."""
RULES_BROKEN = """() => {
  window.rulesBroken = []
  addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    window.rulesBroken.push(violatedDirective + ' ' + blockedURI))
}"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with a browser of their own, and what went wrong in it."""

    page: Page
    context: BrowserContext
    url: str
    wrong: list[str] = field(default_factory=list[str])

    def goes_to(self, path: str = "/") -> Page:
        self.page.goto(self.url + path)
        self.page.locator("h1").first.wait_for()
        return self.page

    def chooses(self, *files: Path | tuple[str, bytes]) -> None:
        """Choose files by the system's chooser."""
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Choose files").click()
        chooser.value.set_files(
            [
                {"name": each[0], "mimeType": "", "buffer": each[1]} if isinstance(each, tuple) else each
                for each in files
            ]  # type: ignore[arg-type]
        )

    def code(self) -> str:
        """The code that the page shows."""
        return self.page.locator(".bigCode").inner_text()

    def slows_down(self, bytes_per_second: int) -> CDPSession:
        """Limit what the browser sends; -1 lifts the limit."""
        session = self.context.new_cdp_session(self.page)
        session.send("Network.enable")
        limits = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
        session.send("Network.emulateNetworkConditions", {"offline": False, **limits})
        return session

    def waits_until_verified(self, count: int) -> None:
        expect(self.page.locator(".itemState.ready")).to_have_count(count)


Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedStack]:
    built_page.build()
    with running_stack(tmp_path_factory) as stack:
        yield stack


@pytest.fixture(scope="session")
def address(request: pytest.FixtureRequest) -> str:
    """The system's address; a running one's, if BROWSER_URL names it."""
    running = os.environ.get("BROWSER_URL")
    return running or request.getfixturevalue("stack").url


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """A function that opens a browser for somebody, with Playwright's options. Nothing may go wrong in any of them."""
    opened: list[Visitor] = []

    def come(**options: Any) -> Visitor:
        visitor = _open(browser, address, options)
        opened.append(visitor)
        return visitor

    yield come
    for visitor in opened:
        with _closing(visitor):
            assert visitor.page.evaluate("window.rulesBroken") == []
            assert visitor.wrong == []


def _open(browser: Browser, address: str, options: dict[str, Any]) -> Visitor:
    context = browser.new_context(**{**HOME, **options})
    context.set_default_timeout(SECONDS * 1000)
    context.add_init_script(f"({RULES_BROKEN})()")
    page = context.new_page()
    visitor = Visitor(page, context, address)

    def hear_line(kind: str, text: str) -> None:
        if kind in ("error", "warning") and not EXPECTED.search(text):
            visitor.wrong.append(text)

    page.on("console", lambda line: hear_line(line.type, line.text))
    page.on("pageerror", lambda error: visitor.wrong.append(str(error)))
    page.on("request", lambda request: _note_elsewhere(visitor, request.url))
    # Whether leaving asks first is what some tests are about; all others leave.
    page.on(
        "dialog",
        lambda dialog: dialog.accept() if dialog.type == "beforeunload" else visitor.wrong.append(dialog.message),
    )
    return visitor


def _note_elsewhere(visitor: Visitor, url: str) -> None:
    if not url.startswith((visitor.url, "blob:", "data:", "about:")):
        visitor.wrong.append(f"a request to {url}")


@contextmanager
def _closing(visitor: Visitor) -> Generator[None]:
    try:
        yield
    finally:
        visitor.context.close()
