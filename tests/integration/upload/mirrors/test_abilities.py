"""`/internal/abilities`: whether files can be stored and given out, for the health of the system."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from common.errors import StorageFull
from common.store import StoreUnavailable
from common.store.s3 import S3Store
from tests.conftest import Engines, MakeDatabase
from tests.integration.upload.mirrors.test_mirrors_api import work
from tests.integration.upload.running_upload import UploadService, running_upload_service

DOWN = StoreUnavailable.code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def service(make_database: MakeDatabase, engines: Engines, folder: Path) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines, mirror_folders=str(folder)) as service:
        yield service


def abilities(service: UploadService) -> tuple[str, str]:
    answer = service.internal("POST", "/internal/abilities", None)
    assert answer.status_code == 200, answer.text
    return answer.json()["sending"], answer.json()["fetching"]


@pytest.fixture
def store_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr(S3Store, "put", refuse)
    monkeypatch.setattr(S3Store, "ready", refuse)


def test_everything_works_and_nothing_is_left_in_the_store(service: UploadService) -> None:
    with service.nothing_left():
        assert abilities(service) == ("ok", "ok")


def test_a_full_store_still_gives_files_out(service: UploadService, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise StorageFull

    monkeypatch.setattr(S3Store, "put", refuse)
    assert abilities(service) == ("storage_full", "ok")


@pytest.mark.usefixtures("store_down")
def test_without_a_store_nothing_works(service: UploadService) -> None:
    assert abilities(service) == (DOWN, DOWN)


def test_copies_on_mirrors_are_given_out_without_a_store(
    service: UploadService, folder: Path, request: pytest.FixtureRequest
) -> None:
    owner, administrator = service.auth.sign_up(), service.client(service.auth.administrator())
    spec = {"name": uuid4().hex, "kind": "fs", "options": {"root": str(folder)}, "is_default": True}
    assert administrator.post("/v1/mirrors", json=spec).status_code == 201
    service.own_file(owner, b"content")
    work(service)
    request.getfixturevalue("store_down")
    assert abilities(service) == (DOWN, "ok")


def test_only_share_may_ask(service: UploadService) -> None:
    assert service.internal("POST", "/internal/abilities", None, service="chat").status_code == 403
    assert service.client().post("/internal/abilities").status_code == 401
