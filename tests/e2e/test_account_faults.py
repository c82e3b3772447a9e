"""Accounts while processes are killed: what was acknowledged holds, and what ended stays ended."""

import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.e2e.faults import PATIENCE, down, persist

PASSWORD = "a password of nobody's"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    http: httpx.Client
    name: str
    token: str

    @property
    def header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def account(self) -> httpx.Response:
        return self.http.get("/v1/account", headers=self.header)

    def log_out(self) -> httpx.Response:
        return self.http.post("/v1/auth/logout", headers=self.header)


@pytest.fixture
def http(stack: StartedStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        yield http


def register(http: httpx.Client, name: str) -> httpx.Response:
    return http.post("/v1/auth/register", json={"name": name, "password": PASSWORD})


def log_in(http: httpx.Client, name: str) -> httpx.Response:
    return http.post("/v1/auth/login", json={"name": name, "password": PASSWORD})


def somebody(http: httpx.Client) -> Person:
    name = f"somebody-{secrets.token_hex(6)}"
    persist(lambda: register(http, name), 201)
    return Person(http, name, persist(lambda: log_in(http, name), 200).json()["token"])


def send(person: Person, content: bytes) -> httpx.Response:
    return person.http.post("/api/upload/private", files={"file": ("a.txt", content)}, headers=person.header)


@pytest.mark.parametrize("victim", ["auth", "postgres", "valkey"])
def test_an_account_that_was_acknowledged_can_be_signed_in_to(stack: StartedStack, victim: str) -> None:
    """Two people's clients register one account after the other, trying again as clients do, while something dies."""
    made: list[str] = []
    failed: list[BaseException] = []
    ended = threading.Event()

    def register_on() -> None:
        try:
            with httpx.Client(base_url=stack.url, timeout=60) as http:
                while not ended.is_set():
                    name = f"made-{secrets.token_hex(6)}"
                    # 409: it was made, and only the answer was lost.
                    persist(lambda name=name: register(http, name), 201, 409)
                    made.append(name)
        except BaseException as error:  # noqa: BLE001  (told by the test itself)
            failed.append(error)

    clients = [threading.Thread(target=register_on) for _ in range(2)]
    for client in clients:
        client.start()
    try:
        for _ in range(2):
            before = len(made)
            while len(made) < before + 3 and not failed:
                time.sleep(0.01)
            stack.wait_restarted(victim, stack.kill(victim))
    finally:
        ended.set()
        for client in clients:
            client.join()
    assert not failed
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        for name in made:
            persist(lambda name=name: log_in(http, name), 200)


@pytest.mark.parametrize("victim", ["auth", "valkey", "postgres"])
def test_a_session_that_ended_stays_ended(stack: StartedStack, http: httpx.Client, victim: str) -> None:
    leaving, staying = somebody(http), somebody(http)
    assert (leaving.account().status_code, staying.account().status_code) == (200, 200)
    assert leaving.log_out().status_code == 204
    stack.wait_restarted(victim, stack.kill(victim))
    persist(leaving.account, 401)
    persist(lambda: http.get("/v1/files", headers=leaving.header), 401)
    persist(staying.account, 200)
    persist(lambda: http.get("/v1/files", headers=staying.header), 200)


@pytest.mark.parametrize("engine", ["valkey", "postgres"])
def test_without_an_engine_nobody_is_let_in_and_the_way_back_needs_no_restart(
    stack: StartedStack, http: httpx.Client, engine: str
) -> None:
    person, name = somebody(http), f"late-{secrets.token_hex(6)}"
    service = stack.pid_of("auth")
    with down(stack, engine):
        calls = (lambda: register(http, name), lambda: log_in(http, person.name), person.log_out)
        # All at once, because each waits for as long as services have patience.
        with ThreadPoolExecutor(len(calls)) as pool:
            answers = list(pool.map(lambda call: call(), calls))
        for answer in answers:
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["Retry-After"]) > 0
    # What could not be done was not done by half.
    persist(person.account, 200)
    persist(lambda: register(http, name), 201)
    persist(person.log_out, 204)
    persist(person.account, 401)
    assert stack.pid_of("auth") == service


def test_without_auth_strangers_are_served_and_the_way_back_needs_no_restart(
    stack: StartedStack, http: httpx.Client
) -> None:
    person = somebody(http)
    sent = persist(lambda: send(person, b"before"), 200).json()
    others = {name: stack.pid_of(name) for name in ("upload", "share")}
    # Services prove themselves to one another by tokens that they keep for minutes.
    assert http.get(f"/f/{sent['file_url']}").content == b"before"
    with down(stack, "auth"):
        assert http.get(f"/f/{sent['file_url']}").content == b"before"
        refused = log_in(http, person.name)
        assert (refused.status_code, int(refused.headers["Retry-After"]) > 0) == (503, True)
    persist(lambda: log_in(http, person.name), 200)
    persist(lambda: send(person, b"after"), 200)
    assert {name: stack.pid_of(name) for name in others} == others


@pytest.mark.parametrize(
    "victims",
    [
        ("worker",),
        ("auth",),
        pytest.param(("share", "upload"), marks=pytest.mark.long),
        pytest.param(("valkey",), marks=pytest.mark.long),
    ],
    ids="+".join,
)
def test_a_deleted_account_takes_its_files_along_whatever_dies(
    stack: StartedStack, http: httpx.Client, victims: tuple[str, ...]
) -> None:
    person = somebody(http)
    sent = persist(lambda: send(person, secrets.token_bytes(1000)), 200).json()
    link = f"/f/{sent['file_url']}"
    assert http.get(link).status_code == 200
    deletion: dict[str, Any] = {"headers": person.header, "json": {"password": PASSWORD}}
    assert http.request("DELETE", "/v1/account", **deletion).status_code in (200, 204)
    with down(stack, *victims):
        pass
    persist(person.account, 401)
    until = time.monotonic() + PATIENCE
    while persist(lambda: http.get(link), 200, 404).status_code != 404:
        assert time.monotonic() < until, "the file outlived its account"
        time.sleep(0.2)
    # The name is free again, and whoever takes it gets nothing of its former owner's.
    persist(lambda: register(http, person.name), 201)
    token = persist(lambda: log_in(http, person.name), 200).json()["token"]
    assert Person(http, person.name, token).account().status_code == 200
    listed = persist(lambda: http.get("/v1/files", headers={"Authorization": f"Bearer {token}"}), 200)
    assert sent["user_filename"] not in listed.text
