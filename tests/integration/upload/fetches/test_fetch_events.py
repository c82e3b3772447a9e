"""The progress of a fetch by Server-Sent Events."""

import json
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from common.errors import Unavailable
from common.http import progress
from tests.conftest import Engines, MakeDatabase
from tests.integration.auth.running import Person
from tests.integration.upload.running_upload import UploadService, running_upload_service
from upload_service.fetches import jobs

LOOK = 0.02


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines) as service:
        yield service


@pytest.fixture
def owner(service: UploadService) -> Person:
    return service.auth.sign_up()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LOOK_SECONDS", LOOK)


@dataclass
class Looks:
    """The number of looks at the fetch, and the error that they raise."""

    count: int = 0
    is_down: bool = False


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    looks, find = Looks(), jobs.find_fetch

    async def counted(*given: Any) -> Any:
        looks.count += 1
        if looks.is_down:
            raise Unavailable
        return await find(*given)

    monkeypatch.setattr(jobs, "find_fetch", counted)
    return looks


def ask(client: httpx.Client) -> str:
    answer = client.post("/v1/fetches", json={"url": "http://files.example/a"})
    assert answer.status_code == 202
    return answer.json()["id"]


@contextmanager
def listening(client: httpx.Client, fetch_id: str) -> Generator[Iterator[tuple[str, Any]]]:
    """The events as they come, as name and data; a comment has neither."""
    with client.stream("GET", f"/v1/fetches/{fetch_id}/events", timeout=10) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        else:
            yield fields.get("event", ""), json.loads(fields.get("data", "null"))
            fields = {}


def change(service: UploadService, fetch_id: str, assignments: str) -> None:
    service.ask(f"update fetch_job set {assignments} where id = '{fetch_id}'")


def test_the_state_is_told_at_once_then_each_change_then_the_end(service: UploadService, owner: Person) -> None:
    client = service.client(owner)
    fetch_id = ask(client)
    with listening(client, fetch_id) as events:
        assert next(events) == ("state", client.get(f"/v1/fetches/{fetch_id}").json())
        change(service, fetch_id, "state = 'fetching', bytes_done = 10, size = 20")
        name, state = next(events)
        assert (name, state["state"], state["bytes_done"], state["size"]) == ("state", "fetching", 10, 20)
        change(service, fetch_id, "bytes_done = 20")
        assert next(events)[1]["bytes_done"] == 20
        assert service.client(owner).delete(f"/v1/fetches/{fetch_id}").status_code == 204
        assert next(events)[1]["state"] == "canceled"
        assert list(events) == [("end", {})]


@pytest.mark.parametrize("state", ["done", "failed", "canceled"])
def test_of_what_is_settled_only_the_last_state_is_told(service: UploadService, owner: Person, state: str) -> None:
    client = service.client(owner)
    fetch_id = ask(client)
    change(service, fetch_id, f"state = '{state}'")
    with listening(client, fetch_id) as events:
        told = list(events)
    assert [name for name, _ in told] == ["state", "end"]
    assert told[0][1]["state"] == state


def test_a_sign_of_life_is_sent_while_nothing_changes(
    service: UploadService, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SILENCE_LOOKS", 3)
    client = service.client(owner)
    with listening(client, ask(client)) as events:
        assert next(events)[0] == "state"
        began = time.monotonic()
        assert [next(events) for _ in range(3)] == [("", None)] * 3
        assert time.monotonic() - began > 3 * 3 * LOOK * 0.9


@pytest.mark.parametrize("how", ["signed out", "erased"])
def test_who_may_not_see_it_any_more_is_told_so_and_nothing_else(
    service: UploadService, owner: Person, how: str
) -> None:
    client = service.client(owner)
    fetch_id = ask(client)
    with listening(client, fetch_id) as events:
        assert next(events)[0] == "state"
        if how == "signed out":
            assert owner.client.post("/v1/auth/logout").status_code == 204
        else:
            service.ask("delete from fetch_job where id = %s", fetch_id)
        ((name, problem),) = list(events)
    assert (name, problem["status"]) == ("error", 401 if how == "signed out" else 404)


def test_a_part_of_the_system_that_is_down_is_waited_for(service: UploadService, owner: Person, looks: Looks) -> None:
    client = service.client(owner)
    fetch_id = ask(client)
    with listening(client, fetch_id) as events:
        assert next(events)[0] == "state"
        looks.is_down, before = True, looks.count
        while looks.count < before + 3:
            time.sleep(LOOK)
        change(service, fetch_id, "state = 'done'")
        looks.is_down = False
        assert [name for name, _ in events] == ["state", "end"]


def test_a_client_that_goes_away_leaves_nothing_running(service: UploadService, owner: Person, looks: Looks) -> None:
    client = service.client(owner)
    with listening(client, ask(client)) as events:
        assert next(events)[0] == "state"
    before = -1
    # The server hears of it a moment later.
    for _ in range(60):
        if looks.count == before:
            break
        before = looks.count
        time.sleep(10 * LOOK)
    assert looks.count == before


def test_many_listen_at_once(service: UploadService, owner: Person) -> None:
    client = service.client(owner)
    fetch_id = ask(client)
    heard: list[list[str]] = []

    def listen() -> None:
        with listening(service.client(owner), fetch_id) as events:
            heard.append([name for name, _ in events])

    listeners = [threading.Thread(target=listen) for _ in range(5)]
    for listener in listeners:
        listener.start()
    time.sleep(5 * LOOK)
    change(service, fetch_id, "state = 'done'")
    for listener in listeners:
        listener.join(60)
    assert [names[-1] for names in heard] == ["end"] * 5
