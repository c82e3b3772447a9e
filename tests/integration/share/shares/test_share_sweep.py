"""The sweep of the share service, and the making of shares under contention."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from common.expiry import NEVER, Expiry
from share_service.context import Context
from share_service.shares import making
from share_service.shares.making import Content, share_file
from share_service.shares.model import CodesCrowded
from share_service.shares.sweeping import sweep
from tests.conftest import MakeDatabase
from tests.integration.share.asking import change
from tests.integration.share.running_share import ShareService, running_share_service


@pytest.fixture
def service(make_database: MakeDatabase, valkey_url: str) -> Iterator[ShareService]:
    with running_share_service(make_database, valkey_url) as service:
        yield service


def states(service: ShareService) -> dict[str, str]:
    with psycopg.connect(service.database_url) as connection:
        return dict(connection.execute("select code, state from share").fetchall())


async def test_a_share_whose_time_is_over_gives_back_its_file_once(service: ShareService, worker: Context) -> None:
    gone, kept = uuid4(), uuid4()
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    ended = service.share_file(file_id=str(gone), expires_at=past)
    running = service.share_file(file_id=str(kept))
    for _ in range(2):
        await sweep(worker)
    assert states(service) == {ended: "released", running: "active"}
    assert service.upload.released == [gone]


async def test_a_spent_share_keeps_its_file_until_its_last_lease_is_over(
    service: ShareService, worker: Context
) -> None:
    client = service.client()
    code = service.share_file(uses=1)
    url = client.post("/share/select/", json={"code": code}).json()["detail"]["download_url"]
    assert client.get(url).status_code == 200
    await sweep(worker)
    assert states(service) == {code: "spent"}
    assert "x-store-path" in client.get(url, headers={"Range": "bytes=5-"}).headers
    change(service, "update lease set expires_at = now()")
    await sweep(worker)
    assert states(service) == {code: "released"}
    assert client.get(url, headers={"Range": "bytes=5-"}).json()["detail"] == "文件已过期"


def test_another_download_with_the_same_key_renews_its_lease(service: ShareService) -> None:
    client = service.client()
    code = service.share_file(uses=2)
    url = client.post("/share/select/", json={"code": code}).json()["detail"]["download_url"]
    client.get(url)
    change(service, "update lease set expires_at = now()")
    client.get(url)
    assert "x-store-path" in client.get(url, headers={"Range": "bytes=5-"}).headers


async def test_a_released_code_is_expired_for_a_day_and_then_unknown(service: ShareService, worker: Context) -> None:
    client = service.client()
    code = service.share_file(expires_at=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    await sweep(worker)
    change(service, "update share set released_at = now() - interval '23 hours'")
    await sweep(worker)
    assert client.get("/share/select/", params={"code": code}).json()["detail"] == "文件已过期"
    change(service, "update share set released_at = now() - interval '24 hours'")
    await sweep(worker)
    assert client.get("/share/select/", params={"code": code}).json()["detail"] == "文件不存在"
    assert states(service) == {}


async def test_a_release_that_fails_is_made_up_for_later(service: ShareService, worker: Context) -> None:
    file_id = uuid4()
    code = service.share_file(file_id=str(file_id), expires_at=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    service.upload.is_down = True
    await sweep(worker)
    assert states(service) == {code: "ended"}
    service.upload.is_down = False
    await sweep(worker)
    assert states(service) == {code: "ended"}, "tried again only after a minute"
    change(service, "update share set release_due_at = now()")
    await sweep(worker)
    assert states(service) == {code: "released"}
    assert service.upload.released == [file_id]


async def test_sweeps_at_once_release_each_file_once(service: ShareService, worker: Context) -> None:
    files = [uuid4() for _ in range(130)]
    for file_id in files:
        await share(worker, file_id, str(file_id), Expiry(datetime.now(UTC), None))
    await asyncio.gather(*(sweep(worker) for _ in range(4)))
    # One that came to a step while another one was just about to leave it leaves it to the next sweep.
    await sweep(worker)
    assert sorted(service.upload.released) == sorted(files)
    assert set(states(service).values()) == {"released"}


async def test_a_file_that_another_share_serves_is_not_released(service: ShareService, worker: Context) -> None:
    file_id = str(uuid4())
    ended = service.share_file(file_id=file_id, expires_at=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    running = service.share_file(file_id=file_id)
    await sweep(worker)
    assert states(service) == {ended: "released", running: "active"}
    assert service.upload.released == []


async def test_upload_hears_which_files_are_held(service: ShareService, worker: Context) -> None:
    held, gone, unknown = uuid4(), uuid4(), uuid4()
    service.share_file(file_id=str(held))
    service.share_file(file_id=str(gone), expires_at=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    asked = {"file_ids": [str(held), str(gone), str(unknown)]}
    answer = service.internal("POST", "/internal/shares/held", asked).json()
    assert sorted(answer["held"]) == sorted([str(held), str(gone)]), (
        "an ended share holds its file until it is released"
    )
    await sweep(worker)
    assert service.internal("POST", "/internal/shares/held", asked).json() == {"held": [str(held)]}


async def test_one_origin_gets_one_code_also_at_once_and_after_the_end(service: ShareService, worker: Context) -> None:
    file_id = uuid4()
    codes = set(await asyncio.gather(*(share(worker, file_id, "one origin", NEVER) for _ in range(8))))
    assert len(codes) == 1
    change(service, "update share set expires_at = now()")
    await sweep(worker)
    assert await share(worker, file_id, "one origin", NEVER) in codes
    assert states(service) == dict.fromkeys(codes, "released")


async def test_taken_codes_are_tried_past_and_crowded_ones_fail_clearly(
    worker: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = iter(["AAAAA", "AAAAA", "AAAAA", "BBBBB"])
    monkeypatch.setattr(making, "new_code", lambda *_, **__: next(offered, "AAAAA"))
    assert await share(worker, uuid4(), "first", NEVER) == "AAAAA"
    assert await share(worker, uuid4(), "second", NEVER) == "BBBBB"
    with pytest.raises(CodesCrowded):
        await share(worker, uuid4(), "third", NEVER)


async def share(worker: Context, file_id: UUID, origin: str, expiry: Expiry) -> str:
    """Share a file by a code."""
    return (await share_file(worker, origin, Content("file", "a.bin", 1, file_id=file_id), "code", "", expiry)).code
