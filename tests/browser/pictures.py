"""Pictures of what belongs to an account, and of the administration, with something to see in them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page

PASSWORD = "a long password"
FILES = {
    "Praça do Comércio.jpg": 2_400_000,
    "Tickets Lisboa.pdf": 180_000,
    "a very long name of a recording that nobody would read to its end but everybody has.flac": 900_000,
    "notes.txt": 1_200,
}
OWN = ("files", "drops", "fetches", "hooks", "account")
ADMINISTRATION = (
    "",
    "/shares",
    "/files",
    "/accounts",
    "/rooms",
    "/mirrors",
    "/fetches",
    "/policy",
    "/audit",
    "/system",
)


@dataclass(frozen=True, slots=True)
class Scene:
    """An account that has something, and what was made for it."""

    name: str
    drop: str
    link: str


def prepared(url: str, password: str | None, mirror: Path | None) -> Scene:
    """An account with files, shares, drop-offs, keys, a room and a fetch, and a mirror in this folder."""
    if password and mirror:
        mirror.mkdir()
        with httpx.Client(base_url=url, timeout=30) as http:
            token = _called(http, "auth/login", {"name": "admin", "password": password})["token"]
            http.headers["Authorization"] = f"Bearer {token}"
            asked = {"name": "Disk in the cellar", "kind": "fs", "options": {"root": str(mirror)}, "is_default": True}
            _called(http, "mirrors", asked)
            _called(http, "admin/invitations", {"note": "Ben, from accounting"})
    name = f"Ana Sousa {secrets.token_hex(1)}"
    with httpx.Client(base_url=url, timeout=30) as http:
        token = _called(http, "auth/register", {"name": name, "password": PASSWORD})["token"]
        http.headers["Authorization"] = f"Bearer {token}"
        for file_name, size in FILES.items():
            http.put(f"/{file_name}", content=secrets.token_bytes(size)).raise_for_status()
        for code in ("Homework-7b", None):
            terms = {"title": "Homework, class 7b" if code else "Photos of the wedding", "code": code and _free(code)}
            drop = _called(http, "drops", {**terms, "greeting": "Please send your work by Friday. Thank you!"})
        delivery = {"items": [{"name": "essay.txt", "text": "On rivers"}], "title": "essay.txt", "message": "From Ben"}
        _called(http, f"drops/{drop['code']}/shares", delivery)
        _called(http, "rooms", {"name": f"Trip to Lisbon {secrets.token_hex(1)}", "is_private": True})
        _called(http, "account/keys", {"name": "Backup of my phone"})
        _called(http, "fetches", {"url": f"{url}/favicon.svg", "form": "code"})
        files: list[dict[str, Any]] = http.get("/v1/files").json()["files"]
        page = _called(http, "shares", {"file_id": files[-1]["id"], "form": "page"}) if files else {"url": url}
    return Scene(name, drop["url"], page["url"])


def _called(http: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = http.post(f"/v1/{path}", json=body)
    answer.raise_for_status()
    return answer.json()


def _free(code: str) -> str:
    return f"{code}-{secrets.token_hex(1)}"


def picture_own(page: Page, url: str, scene: Scene, picture: Callable[[str], None]) -> None:
    """The places of an account, a drop-off as others see it, and the page of a link."""
    page.goto(scene.drop)
    page.locator("h1").wait_for()
    picture("drop")
    page.locator("input[type=file]").first.set_input_files([{"name": "work.pdf", "mimeType": "", "buffer": b"content"}])
    page.locator(".itemState.ready").wait_for()
    picture("drop-thanks")
    page.goto(scene.link)
    page.locator("h1").wait_for()
    picture("link-page")
    sign_in(page, url, scene.name, PASSWORD, "mine")
    page.locator(".shareCode").first.wait_for()
    picture("mine-shares")
    page.locator(".shareActions button").nth(1).click()
    page.locator("dialog").wait_for()
    picture("mine-edit")
    page.keyboard.press("Escape")
    for place in OWN:
        page.goto(f"{url}/mine/{place}")
        page.locator("main .card").first.wait_for()
        page.wait_for_load_state("networkidle")
        picture(f"mine-{place}")


def picture_administration(page: Page, url: str, password: str, picture: Callable[[str], None]) -> None:
    """The places of the administration."""
    sign_in(page, url, "admin", password, "admin")
    for place in ADMINISTRATION:
        page.goto(f"{url}/admin{place}")
        page.locator("main .card").first.wait_for()
        page.wait_for_load_state("networkidle")
        picture(f"admin{place.replace('/', '-')}")
    page.goto(f"{url}/admin/accounts")
    page.locator(".actionCell button").first.click()
    page.wait_for_load_state("networkidle")
    picture("admin-account")


def sign_in(page: Page, url: str, name: str, password: str, place: str) -> None:
    page.goto(url)
    page.evaluate("localStorage.removeItem('waystation.session')")
    page.goto(f"{url}/sign-in?to={place}")
    page.locator("main input").first.fill(name)
    page.locator("main input[type=password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{place}")
