"""`make screenshots`: pictures of the main pages, light and dark, desk and phone, English and Chinese.

BROWSER_URL names the running system whose pages are shown, and BROWSER_PASSWORD its administrator's password, without
which there are no pictures of the administration. Without BROWSER_URL a system is started. ONLY=own leaves out all
pages but those of accounts and of the administration.
"""

import os
import re
import secrets
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FilePayload, Page, sync_playwright

from deploy.local import credentials
from deploy.local.credentials import ADMIN_PASSWORD
from deploy.local.stack import start
from tests.browser.conftest import CHROMIUM
from tests.browser.pictures import Scene, picture_administration, picture_own, prepared
from tests.browser.test_previews import MARKDOWN, PAINTED, pdf

OUT = Path("screenshots")
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 720}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 780},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
LOOKS: dict[str, dict[str, Any]] = {
    "desk-light": {**DESK, "color_scheme": "light", "locale": "en-GB"},
    "desk-dark": {**DESK, "color_scheme": "dark", "locale": "en-GB"},
    "phone-light": {**PHONE, "color_scheme": "light", "locale": "en-GB"},
    "phone-dark-zh": {**PHONE, "color_scheme": "dark", "locale": "zh-CN"},
}


@contextmanager
def address() -> Generator[tuple[str, str | None, Path | None]]:
    """The system's address, the administrator's password if it is known, and a folder that may be a mirror."""
    if running := os.environ.get("BROWSER_URL"):
        yield running, os.environ.get("BROWSER_PASSWORD"), None
        return
    with tempfile.TemporaryDirectory() as folder:
        # What is seen in the pictures comes from this machine.
        local = {"FETCH_ALLOWED_NETWORKS": "127.0.0.1/32", "MIRROR_FOLDERS": folder, "UPLOAD_COUNT": "1000"}
        with start(Path(folder) / "data", environment=local) as stack:
            yield stack.url, credentials.load(stack.folder)[ADMIN_PASSWORD], Path(folder) / "mirror"


def take(browser: Browser, url: str, look: str, scene: Scene, password: str | None) -> None:
    context = browser.new_context(**LOOKS[look], reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(15_000)

    def picture(name: str) -> None:
        page.wait_for_timeout(400)
        page.screenshot(path=OUT / f"{name}-{look}.png", full_page=True)

    if os.environ.get("ONLY") != "own":
        _common_pages(page, url, picture)
    picture_own(page, url, scene, picture)
    if password:
        picture_administration(page, url, password, picture)
    context.close()


def _common_pages(page: Page, url: str, picture: Callable[[str], None]) -> None:
    page.goto(url)
    page.locator("h1").wait_for()
    picture("send")
    page.locator("button[aria-expanded]").click()
    picture("options")
    page.locator("button[aria-expanded]").click()
    _slow(page, 400_000)
    page.locator("input[type=file]").first.set_input_files(
        [
            {"name": "holiday-photos-2026.zip", "mimeType": "", "buffer": os.urandom(4_000_000)},
            {"name": "Ticket Lisboa.pdf", "mimeType": "", "buffer": os.urandom(90_000)},
        ]
    )
    code = page.locator(".bigCode").inner_text()
    page.wait_for_timeout(3500)
    picture("sending")
    _slow(page, -1)
    page.locator(".itemState.ready").nth(1).wait_for()
    page.goto(f"{url}/c/{code}")
    page.locator("h1").wait_for()
    picture("receive")
    page.goto(f"{url}/c/NOTHING0")
    page.locator("h1").wait_for()
    picture("unknown")
    page.goto(f"{url}/nothing/here")
    page.locator("h1").wait_for()
    picture("nothing")
    _previews(page, url, picture)
    _account_pages(page, url, picture)


def _account_pages(page: Page, url: str, picture: Callable[[str], None]) -> None:
    page.goto(f"{url}/register")
    page.locator("h1").wait_for()
    picture("register")
    page.locator("input").first.fill(f"ana-{secrets.token_hex(2)}")
    page.locator("input[type=password]").fill("a long password")
    page.keyboard.press("Enter")
    page.wait_for_url("**/mine")
    picture("mine-empty")
    page.goto(url)
    files: list[FilePayload] = [
        {"name": name, "mimeType": "", "buffer": b"content"} for name in ("Praça do Comércio.jpg", "notes.txt")
    ]
    page.locator("input[type=file]").first.set_input_files(files)
    page.locator(".itemState.ready").nth(1).wait_for()
    page.goto(f"{url}/mine")
    page.locator(".shareCode").wait_for()
    picture("mine")
    page.goto(f"{url}/rooms")
    page.locator(".newRoom").click()
    # Only a few rooms may be open to everyone.
    page.locator(".newRoomForm [role=switch]").check(force=True)
    page.locator(".newRoomForm input").first.fill(f"Trip to Lisbon {secrets.token_hex(2)}")
    page.keyboard.press("Enter")
    page.locator(".isLive").wait_for()
    for text in ("Did everyone get the tickets?", "Got it, thanks! Sending the photos now."):
        page.locator(".post textarea").fill(text)
        page.keyboard.press("Enter")
        page.get_by_text(text).wait_for()
    page.locator("input[type=file]").set_input_files(
        [{"name": "Ticket Lisboa.pdf", "mimeType": "", "buffer": b"x" * 214_000}]
    )
    page.locator(".saidLinks").wait_for()
    picture("room")
    page.get_by_role("button", name=re.compile("People|成员")).click()
    page.locator(".person").wait_for()
    picture("room-people")
    page.goto(f"{url}/rooms/direct")
    page.locator(".recipient").wait_for()
    picture("direct")


def _previews(page: Page, url: str, picture: Callable[[str], None]) -> None:
    files: list[FilePayload] = [
        {"name": "Ticket Lisboa.pdf", "mimeType": "", "buffer": pdf(3)},
        {"name": "plan.md", "mimeType": "", "buffer": MARKDOWN.encode()},
        {"name": "send.py", "mimeType": "", "buffer": Path(__file__).read_bytes()},
    ]
    page.goto(url)
    page.locator("input[type=file]").first.set_input_files(files)
    code = page.locator(".bigCode").inner_text()
    page.locator(".itemState.ready").nth(2).wait_for()
    page.goto(f"{url}/c/{code}")
    page.wait_for_function(PAINTED)
    picture("preview-pdf")
    for name, shown in (("plan.md", ".markdown h2"), ("send.py", ".hl-keyword")):
        page.locator("li.item", has_text=name).locator("button").click()
        page.locator(shown).first.wait_for()
        picture(f"preview-{name.partition('.')[2]}")


def _slow(page: Page, bytes_per_second: int) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    limits = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    session.send("Network.emulateNetworkConditions", {"offline": False, **limits})


def main() -> int:
    if CHROMIUM is None:
        print("No Chromium is installed.", file=sys.stderr)
        return 1
    OUT.mkdir(exist_ok=True)
    with address() as (url, password, mirror), sync_playwright() as playwright:
        scene = prepared(url, password, mirror)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for look in LOOKS:
            take(browser, url, look, scene, password)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
