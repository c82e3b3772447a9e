"""People move in from Mirage: they sign in with the passwords that they have, and find their rooms and messages."""

import asyncio
import io
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from deploy.importing.__main__ import LEFT_OUT, import_people
from deploy.importing.mirage import Mirage
from deploy.local import credentials, postgres
from deploy.local.stack import StartedStack
from tests.e2e.faults import PATIENCE
from tests.e2e.importing import begin, run
from tests.e2e.mirage_store import Store, werkzeug
from tests.e2e.mirrors import administrator

LIMITS = {"PUBLIC_ROOMS": "100000", "PUBLIC_ROOMS_PER_ACCOUNT": "1"}
QUICK = "pbkdf2:sha256:1000"


@pytest.fixture
def client(stack: StartedStack) -> Iterator[httpx.Client]:
    """A client of Mirage."""
    with httpx.Client(
        base_url=stack.url, timeout=60, headers={"Host": f"mirage.example.org:{stack.ports['gateway']}"}
    ) as client:
        yield client


@pytest.fixture
def native(stack: StartedStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as client:
        yield client


def run_here(
    stack: StartedStack, path: Path, monkeypatch: pytest.MonkeyPatch, *, write: bool, **settings: str
) -> tuple[int, str]:
    """The same as `run`, without a process of its own, which would take a second."""
    for name, value in {"DATA": str(stack.folder), **settings}.items():
        monkeypatch.setenv(name, value)
    with redirect_stdout(io.StringIO()) as output:
        left_out = asyncio.run(import_people(Mirage(path), write=write))
    return LEFT_OUT if left_out else 0, output.getvalue()


def new_name(stem: str) -> str:
    return f"{stem} {secrets.token_hex(6)}"


def log_in(client: httpx.Client, name: str, password: str) -> httpx.Response:
    return client.post("/api/login", json={"username": name, "password": password})


class Guest:
    """Somebody signed in by Mirage's protocol."""

    def __init__(self, client: httpx.Client, name: str, password: str) -> None:
        answer = log_in(client, name, password)
        assert answer.status_code == 200, answer.text
        self.client, self.headers = client, {"Authorization": answer.json()["token"]}

    def get(self, path: str) -> dict[str, Any]:
        return self.client.get(f"/api/{path}", headers=self.headers).json()

    def post(self, path: str, **fields: object) -> httpx.Response:
        return self.client.post(f"/api/{path}", json=fields, headers=self.headers)

    def rooms(self) -> dict[str, int]:
        return {room["name"]: room["room_id"] for room in self.get("user_rooms")["rooms"]}

    def letters(self) -> list[tuple[str, str, str]]:
        """The oldest first."""
        found = self.get("inbox")["messages"]
        return [(letter["sender"], letter["message"], letter["created_at"]) for letter in reversed(found)]


def password_hash(stack: StartedStack, name: str) -> str:
    url = postgres.admin_url(stack.ports["postgres"], credentials.load(stack.folder)["postgres_admin"])
    with closing(psycopg.connect(url, dbname="auth")) as connection:
        found = connection.execute("select password_hash from account where name = %s", [name]).fetchone()
        assert found
        return str(found[0])


def test_people_of_mirage_sign_in_and_find_their_rooms_and_messages(
    stack: StartedStack,
    client: httpx.Client,
    native: httpx.Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Store(tmp_path)
    ann, bob, cy, lost = new_name("Ann"), new_name("Bob"), new_name("Cy"), new_name("Lost")
    twin = bob.replace("o", "\N{CYRILLIC SMALL LETTER O}")
    hidden = new_name("Hid\0den\u202e")
    taken = {"username": cy, "email": f"{secrets.token_hex(6)}@example.org", "password": "another password"}
    assert client.post("/api/register", json=taken).status_code == 201
    store.add_user(ann, werkzeug("ann's  passwörd "), avatar_url="https://example.org/a.png")
    store.add_user(bob, werkzeug("bob's", QUICK), created_at="2024-02-03 04:05:06", description="\0x" * 20_000)
    store.add_user(cy, werkzeug("cy's", QUICK), email=taken["email"])
    store.add_user(twin, werkzeug("twin's", QUICK))
    store.add_user("Admin", werkzeug("admin's", QUICK))
    store.add_user(hidden, werkzeug("hidden's", QUICK))
    store.add_user(lost, "md5$salt$0123456789abcdef0123456789abcdef")
    store.add_user("\u200b", werkzeug("nobody's", QUICK))
    secret, public, second, empty = (new_name(stem) for stem in ("secret", "public", "second", "empty"))
    room = store.add_room(secret, ann, bob, ann, "nobody", password="opens it")
    store.add_room(public, ann)
    store.add_room(second, ann, bob)
    store.add_room(empty, "nobody")
    store.add_message(ann, bob, "one", "2024-02-03 04:05:06")
    store.add_message(bob, ann, "two", "2023-01-01 00:00:00")
    store.add_message(ann, bob, "x" * 20_000)
    store.add_message(ann, bob, "NUL \0")
    store.add_message(ann, "nobody", "to nobody")
    store.add_message(cy, bob, "three")

    status, output = run_here(stack, tmp_path, monkeypatch, write=False, **LIMITS)
    assert (status, "would import: 7 accounts, " in output) == (3, True), output
    assert log_in(client, ann, "ann's  passwörd ").status_code == 404
    status, output = run(stack, "mirage", str(tmp_path), "--write", **LIMITS)
    assert (status, "imported: 7 accounts, 2 rooms, 0 members of rooms that were here, and 3 messages" in output) == (
        3,
        True,
    ), output
    shown = hidden.replace("\0", "").replace("\u202e", "")
    for line in (
        f"note: account {cy}: is {cy}-mirage here",
        f"note: account {cy}: has no e-mail address here",
        f"note: account {twin}: is {twin}-mirage here",
        "note: account Admin: is Admin-mirage",
        f": is {shown} here",
        f"note: account {lost}: needs a link for a new password",
        "left out: account \ufffd: ",
        f"left out: room {second}: ",
        f"left out: room {empty}: ",
        f"left out: message from {ann} to nobody of 2025-12-31 23:59:58: ",
    ):
        assert line in output
    assert output.count(f"left out: message from {ann} to {bob}") == 2

    assert log_in(client, ann, "wrong").status_code == 401
    assert log_in(client, lost, "0123456789abcdef0123456789abcdef").status_code == 401
    assert log_in(client, cy, "another password").status_code == 200
    for name, password in ((f"{cy}-mirage", "cy's"), (f"{twin}-mirage", "twin's"), (shown, "hidden's")):
        assert log_in(client, name, password).status_code == 200
    assert password_hash(stack, bob).startswith("pbkdf2:")
    first, other = Guest(client, ann, "ann's  passwörd "), Guest(client, bob, "bob's")
    assert password_hash(stack, bob).startswith("$argon2id$")
    assert log_in(client, bob, "bob's").status_code == 200
    other = Guest(client, bob, "bob's")
    shown = client.get(f"/api/user/{bob}").json()
    assert (shown["created_at"], shown["description"]) == ("2024-02-03 04:05:06", "x" * 16_384)
    assert client.get(f"/api/user/{ann}").json()["avatar_url"] == "https://example.org/a.png"
    assert set(first.rooms()) == {secret, public}
    assert other.get(f"room_members/{other.rooms()[secret]}")["members"] == [ann, bob]
    assert other.post("send_room_message", room_id=other.rooms()[secret], message="here").status_code == 200
    letters = [(ann, "one", "2024-02-03 04:05:06"), (bob, "two", "2023-01-01 00:00:00")]
    assert other.letters() == [*letters, (f"{cy}-mirage", "three", "2025-12-31 23:59:58")]
    assert first.letters() == letters
    newcomer = Guest(client, cy, "another password")
    assert newcomer.post("join_room", name=secret, password="wrong").status_code == 403
    assert newcomer.post("join_room", name=secret, password=" opens it").status_code == 200

    entries = native.get(
        "/v1/admin/audit", params={"target": f"{cy}-mirage"}, headers=administrator(stack, native)
    ).json()["entries"]
    assert [(entry["act"], entry["account_name"]) for entry in entries] == [("account.import", "system")]

    # Another run brings the new things, and nothing that ended here.
    token = native.post("/v1/auth/login", json={"name": bob, "password": "bob's"}).json()["token"]
    leaving = {"Authorization": f"Bearer {token}"}
    assert native.post(f"/v1/rooms/{other.rooms()[secret]}/leave", headers=leaving).status_code == 204
    late = new_name("Late")
    store.add_user(late, werkzeug("late's", QUICK))
    store.insert("room_members", room_id=room, username=late)
    store.add_message(late, ann, "four")
    status, output = run_here(stack, store.path, monkeypatch, write=True, PUBLIC_ROOMS_PER_ACCOUNT="9")
    assert "imported: 1 accounts, 1 rooms, 1 members of rooms that were here, and 1 messages" in output, output
    assert set(first.get(f"room_members/{first.rooms()[secret]}")["members"]) == {ann, cy, late}
    assert set(first.rooms()) == {secret, public, second}
    assert first.letters() == [*letters, (late, "four", "2025-12-31 23:59:58")]


@pytest.mark.long
def test_an_import_that_is_killed_brings_everything_once(
    stack: StartedStack, client: httpx.Client, tmp_path: Path
) -> None:
    store, names = Store(tmp_path), [new_name("Person") for _ in range(60)]
    for name in names:
        store.add_user(name, werkzeug("password", QUICK))
        store.add_room(f"room of {name}", name, names[0], password="opens it")
        for number in range(10):
            store.add_message(name, names[0], f"{number}", f"2024-01-01 00:00:{number:02}")
    for after in range(0, 60, 20):
        process = begin(stack, "mirage", str(tmp_path), "--write", **LIMITS)
        deadline = time.monotonic() + PATIENCE
        while client.get(f"/api/user/{names[after]}").status_code == 404:
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGKILL)
        process.communicate()
    status, output = run(stack, "mirage", str(tmp_path), "--write", **LIMITS)
    assert (status, " 0 are left out" in output) == (0, True), output
    everybody = Guest(client, names[0], "password")
    assert set(everybody.rooms()) == {f"room of {name}" for name in names}
    assert len(everybody.letters()) == len(set(everybody.letters())) == 600
    for name in names:
        assert everybody.get(f"room_members/{everybody.rooms()[f'room of {name}']}")["members"] == (
            [name] if name == names[0] else [name, names[0]]
        )
