"""`/v1/files/{id}/mirrors/events`: the progress of copies, for those who may see it and as long as they may."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.integration.upload.mirrors.test_mirrors_api import defined, work
from tests.integration.upload.running_upload import UploadService, running_upload_service


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mirrors")


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines, folder: Path) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines, mirror_folders=str(folder)) as service:
        yield service


@pytest.fixture
def administrator(service: UploadService) -> Iterator[httpx.Client]:
    yield service.client(service.auth.administrator())
    service.ask("delete from replica")
    service.ask("delete from mirror")


class Listener:
    """A listener to events, in a thread."""

    def __init__(self, client: httpx.Client, path: str) -> None:
        self.events: list[tuple[str, Any]] = []
        self._client, self._path = client, path
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _listen(self) -> None:
        event = ""
        with self._client.stream("GET", self._path) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.append((event, json.loads(line.removeprefix("data: "))))

    def heard(self, count: int) -> None:
        until = time.monotonic() + 10
        while len(self.events) < count:
            assert time.monotonic() < until, self.events
            time.sleep(0.02)


def test_events_tell_each_change_until_everything_is_settled(
    service: UploadService, administrator: httpx.Client, folder: Path
) -> None:
    owner = service.auth.sign_up()
    defined(administrator, folder, is_default=True)
    file_id = service.own_file(owner)
    with Listener(service.client(owner), f"/v1/files/{file_id}/mirrors/events") as listener:
        listener.heard(1)
        work(service)
    kinds = [kind for kind, _ in listener.events]
    assert kinds == ["state"] * (len(kinds) - 1) + ["end"]
    states = [state["mirrors"][0]["state"] for kind, state in listener.events if kind == "state"]
    assert (states[0], states[-1]) == ("queued", "verified")


@pytest.mark.parametrize("ends", ["signed out", "deleted"])
def test_events_end_when_they_may_not_be_seen_any_more(
    service: UploadService, administrator: httpx.Client, folder: Path, ends: str
) -> None:
    owner = service.auth.sign_up()
    defined(administrator, folder, is_default=True)
    file_id = service.own_file(owner)
    with ExitStack() as opened:
        listener = opened.enter_context(Listener(service.client(owner), f"/v1/files/{file_id}/mirrors/events"))
        listener.heard(1)
        if ends == "deleted":
            assert service.client(owner).delete(f"/v1/files/{file_id}").status_code == 204
        else:
            assert owner.client.post("/v1/auth/logout").status_code == 204
    kind, detail = listener.events[-1]
    assert (kind, detail["status"]) == ("error", 404 if ends == "deleted" else 401)
