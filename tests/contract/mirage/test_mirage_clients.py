"""The calls of Mirage's clients as they send them: the pages of the web client, and two scripts."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.contract.mirage import wire
from tests.contract.mirage.wire import PASSWORD, ROOM_PASSWORD, User, succeeded

ORIGIN = {"Origin": "https://mirage-web.example"}


class Page:
    """A page of the web client in a browser. It has another origin, so the browser sends preflight requests."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self.storage: dict[str, str] = {}

    def fetch(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        method = "GET" if body is None and not more else "POST"
        headers = dict(ORIGIN)
        if "token" in self.storage:
            headers["Authorization"] = self.storage["token"]
        asked = {name.lower() for name in headers if name != "Origin"}
        if body is not None:
            asked.add("content-type")
        if asked:
            wanted = {"Method": method, "Headers": ",".join(sorted(asked))}
            wanted = {f"Access-Control-Request-{name}": value for name, value in wanted.items()}
            allowed = self._client.options(f"/api/{path}", headers=ORIGIN | wanted)
            assert allowed.is_success
            assert asked <= set(re.split(", *", allowed.headers["access-control-allow-headers"].lower()))
        answer = self._client.request(method, f"/api/{path}", json=body, headers=headers, **more)
        assert answer.headers["access-control-allow-origin"] in ("*", ORIGIN["Origin"])
        return answer


@pytest.fixture
def page(mirage: httpx.Client) -> Page:
    return Page(mirage)


def sign_in(page: Page, name: str) -> None:
    """Make the calls of the register and login pages."""
    asked = {"username": name, "email": f"{name.replace(' ', '.')}@example.org", "password": PASSWORD}
    assert page.fetch("register", asked).is_success
    answer = page.fetch("login", {"username": name, "password": PASSWORD})
    assert answer.is_success
    page.storage = {"token": answer.json()["token"], "username": name}


def room_list(page: Page) -> dict[int, str]:
    """The page's list of rooms: it merges two lists by ids, which must be of the same type."""
    own, public = (page.fetch(path).json()["rooms"] for path in ("user_rooms", "rooms"))
    assert all(type(room["room_id"]) is int for room in (*own, *public))
    joined = {room["room_id"]: room["name"] for room in own}
    assert {room["room_id"] for room in public if room["joined"]} <= set(joined)
    return {**{room["room_id"]: room["name"] for room in public}, **joined}


def test_two_users_can_use_all_pages(mirage: httpx.Client, page: Page) -> None:
    name, second = wire.new_name(), Page(mirage)
    sign_in(page, name)
    sign_in(second, wire.new_name())
    # Every page: the favicon.
    assert "avatar_url" in page.fetch(f"user/{name}").json()
    # The page after the login: there is no feed, which the page shows as "no posts".
    feed = page.fetch("fyp")
    assert (feed.status_code, "posts" in feed.json()) == (404, False)

    room = wire.new_name()
    made = page.fetch("create_room", {"room_name": room, "is_private": 1, "password": ROOM_PASSWORD})
    assert made.json()["message"]
    room_id = made.json()["room_id"]
    assert room_list(page)[room_id] == room
    assert room_id not in room_list(second)
    assert second.fetch("join_room", {"name": room, "password": "wrong"}).json()["error"]
    joined = second.fetch("join_room", {"name": room, "password": ROOM_PASSWORD}).json()
    assert (joined["room_id"], joined["room_name"]) == (room_id, room)

    # The room page.
    assert page.fetch("ping").status_code == 200
    assert len(page.fetch(f"room_members/{room_id}").json()["members"]) == 2
    assert page.fetch("send_room_message", {"room_id": str(room_id), "message": "hello"}).is_success
    files = [("file", ("photo.png", b"png", "image/png")), ("room_id", (None, str(room_id)))]
    uploaded = page.fetch("upload_file", files=files)
    url = uploaded.json()["file_url"]
    assert page.fetch("send_room_message", {"room_id": str(room_id), "message": f"[File] {url}"}).is_success
    rows = second.fetch(f"get_room_messages?room_id={room_id}").json()["messages"]
    assert [row["message"] for row in rows] == ["hello", url, f"[File] {url}"]
    assert {row["username"] for row in rows} == {name}
    assert mirage.get(httpx.URL(url).raw_path.decode()).content == b"png"

    # The messages page: it groups by the other party, and reads the times.
    sent = {"recipient": second.storage["username"], "message": "psst"}
    assert page.fetch("send_inbox_message", sent).is_success
    letter = second.fetch("inbox").json()["messages"][0]
    assert (letter["sender"], second.fetch("inbox_count").json()) == (name, {"inbox_count": 1})
    assert second.fetch("delete_inbox_message", {"message_id": letter["id"]}).is_success
    assert page.fetch("inbox").json() == {"messages": []}

    # The settings page shows `message`; then the room page logs out.
    assert page.fetch("user/settings", {"description": "new", "email": "", "password": ""}).json()["message"]
    token = page.storage.pop("token")
    assert page.fetch("logout", {"token": token}).is_success
    page.storage["token"] = token
    assert page.fetch("rooms").status_code == 401


def test_pages_that_poll_are_never_throttled(user: User) -> None:
    """The polling of ten minutes by a room page in three tabs, all at once."""
    room_id, _ = user.create()
    user.send(room_id, "hello")
    calls = ["ping"] * 360 + [f"get_room_messages?room_id={room_id}"] * 600 + ["inbox_count"] * 60
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda path: user.get(path).status_code, calls))
    assert set(answers) == {200}


def test_the_reference_documents_script(user: User, tmp_path: Any) -> None:
    """`upload_file_to_room` of the document, with the retries that the document proposes."""
    room_id, _ = user.create()
    file = tmp_path / "report.pdf"
    file.write_bytes(b"%PDF")

    def attempts() -> Iterator[httpx.Response]:
        for _ in range(3):
            with file.open("rb") as opened:
                yield user.client.post(
                    "/api/upload_file",
                    headers={"Authorization": user.token},
                    files={"file": (file.name, opened)},
                    data={"room_id": str(room_id)},
                )

    response = next(attempts())
    response.raise_for_status()
    assert response.json()["file_url"].endswith(".pdf")
    assert user.texts(room_id) == [response.json()["file_url"]]


def test_the_servers_own_script(mirage: httpx.Client) -> None:
    """The server's own `tests.py` without its posts: register, log in, a room, a message, a profile with counts."""
    name = wire.new_name()
    asked = {"username": name, "email": f"{name[-12:]}@example.org", "password": PASSWORD}
    assert mirage.post("/api/register", json=asked).status_code == 201
    token = mirage.post("/api/login", json=asked).json()["token"]
    headers = {"Authorization": token}
    body = {"room_name": wire.new_name(), "is_private": 1, "password": ROOM_PASSWORD}
    made = mirage.post("/api/create_room", json=body, headers=headers)
    assert made.status_code == 201
    sent = {"room_id": made.json()["room_id"], "message": "hello"}
    succeeded(mirage.post("/api/send_room_message", json=sent, headers=headers))
    assert mirage.get(f"/api/user/{name}").json()["stats"]["posts"] >= 0
