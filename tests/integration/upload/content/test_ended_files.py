"""Files whose time is over: by their expiry, by their owner's word, and whatever dies while they are cleared away."""

import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.integration.auth.running import Person
from tests.integration.upload.running_upload import UploadService, running_upload_service
from upload_service.content import expiring
from upload_service.context import Context

SOON = timedelta(hours=1)


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines) as service:
        yield service


@pytest.fixture
def owner(service: UploadService) -> Person:
    return service.auth.sign_up()


@pytest.fixture
def client(service: UploadService, owner: Person) -> httpx.Client:
    return service.client(owner)


def is_served(service: UploadService, file_id: str) -> bool:
    answer = service.internal("POST", f"/internal/files/{file_id}/download", {"method": "GET"})
    assert answer.status_code in (200, 404)
    return answer.status_code == 200


def is_row(service: UploadService, file_id: str) -> bool:
    return bool(service.ask("select 1 from file where id = %s", file_id))


@pytest.mark.parametrize("moment", ["2020-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00Z"])
def test_an_end_in_the_past_is_now(service: UploadService, owner: Person, client: httpx.Client, moment: str) -> None:
    file_id = service.own_file(owner)
    answer = client.patch(f"/v1/files/{file_id}", json={"expires_at": moment})
    assert answer.status_code == 200, answer.text
    assert abs(datetime.fromisoformat(answer.json()["expires_at"]) - datetime.now(UTC)) < SOON
    assert client.get(f"/v1/files/{file_id}").status_code == 404
    assert not is_row(service, file_id)
    assert UUID(file_id) in service.share.ended


def test_an_expiry_holds_to_the_moment(service: UploadService, owner: Person, client: httpx.Client) -> None:
    file_id = service.own_file(owner)
    ends = datetime.now(UTC) + timedelta(seconds=1.5)
    assert client.patch(f"/v1/files/{file_id}", json={"expires_at": ends.isoformat()}).status_code == 200
    answers: list[tuple[datetime, bool, datetime]] = []
    while not answers or answers[-1][1]:
        answers.append((datetime.now(UTC), is_served(service, file_id), datetime.now(UTC)))
    # Databases of tests are on this machine, under this clock.
    assert all(asked < ends for asked, served, _ in answers if served)
    assert all(answered >= ends for _, served, answered in answers if not served)
    for verb in (client.get, client.delete):
        assert verb(f"/v1/files/{file_id}").status_code == 404
    assert client.get(f"/v1/files/{file_id}/content").status_code == 404
    assert client.patch(f"/v1/files/{file_id}", json={"expires_at": None}).status_code == 404
    assert client.get("/v1/files").json()["files"] == []
    assert is_row(service, file_id)
    service.sweep()
    assert not is_row(service, file_id)
    assert service.share.ended.count(UUID(file_id)) == 1


def test_a_deleted_file_is_gone_at_once_with_its_shares(
    service: UploadService, owner: Person, client: httpx.Client
) -> None:
    file_id = service.own_file(owner)
    assert client.delete(f"/v1/files/{file_id}").status_code == 204
    assert UUID(file_id) in service.share.ended
    assert not is_row(service, file_id)
    assert not is_served(service, file_id)
    assert client.delete(f"/v1/files/{file_id}").status_code == 404


def test_deleting_needs_no_share_service(service: UploadService, owner: Person, client: httpx.Client) -> None:
    file_id = service.own_file(owner)
    service.share.is_down = True
    try:
        assert client.delete(f"/v1/files/{file_id}").status_code == 204
        assert not is_served(service, file_id)
        assert client.get(f"/v1/files/{file_id}").status_code == 404
        assert is_row(service, file_id)
    finally:
        service.share.is_down = False
    assert UUID(file_id) not in service.share.ended
    service.sweep()
    service.sweep()
    assert UUID(file_id) in service.share.ended
    assert not is_row(service, file_id)


def test_a_sweep_that_died_before_it_released_is_done_again(
    service: UploadService, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = secrets.token_bytes(100)
    files = [service.own_file(owner, content) for _ in range(3)]
    service.ask("update file set expires_at = now() where id = any(%s)", files[:2])

    class Killed(BaseException):
        pass

    release = expiring.release_files

    async def dies_after_one(context: Context, file_ids: Sequence[UUID]) -> None:
        await release(context, file_ids[:1])
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(expiring, "release_files", dies_after_one)
        with pytest.raises(Killed):
            service.run(expiring.clear_ended)
    assert [is_row(service, file_id) for file_id in files].count(True) == 2
    with ThreadPoolExecutor() as sweeping:
        list(sweeping.map(lambda _: service.run(expiring.clear_ended), range(3)))
    assert [is_row(service, file_id) for file_id in files] == [False, False, True]
    assert service.ask("select refs from blob join file on blob_id = blob.id where file.id = %s", files[2]) == [(1,)]


def test_more_files_than_a_batch_are_cleared_in_one_sweep(service: UploadService, owner: Person) -> None:
    service.ask(
        """
        insert into file (id, name, size, state, owner, expires_at)
        select gen_random_uuid(), 'x', 0, 'pending', %s, now() from generate_series(1, 250)
        """,
        owner.id,
    )

    async def sweep(context: Context) -> None:
        await expiring.clear_ended(context)

    service.run(sweep)
    assert service.ask("select count(*) from file where owner = %s", owner.id) == [(0,)]
