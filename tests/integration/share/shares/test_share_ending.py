"""How other services end and rename shares, and what may happen at the same moment."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from common.expiry import NEVER
from common.identity import Identity, Role
from share_service.context import Context
from share_service.shares.owning import NewShare, share_again
from share_service.shares.sweeping import sweep
from tests.integration.share.held_commits import uncommitted
from tests.integration.share.running_share import SECRETS, Account, ShareService

LIVING = ("active", "spent")


def query(service: ShareService, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(service.database_url) as connection:
        return connection.execute(statement.encode(), values).fetchall()


def state_of(service: ShareService, share_id: UUID) -> str:
    return query(service, "select state from share where id = %s", share_id)[0][0]


def living_shares(service: ShareService, file_id: UUID) -> int:
    return query(service, "select count(*) from share where file_id = %s and state = any(%s)", file_id, list(LIVING))[
        0
    ][0]


# --- what upload and auth ask


def test_one_origin_gets_one_answer(service: ShareService) -> None:
    for form in ("code", "link"):
        origin = uuid4().hex
        first = service.shared(origin=origin, form=form)
        again = service.shared(origin=origin, form=form)
        assert (first.id, first.code, first.delete_key) == (again.id, again.code, again.delete_key)


def test_a_link_ends_in_the_extension_that_is_asked_for(service: ShareService) -> None:
    assert service.share_link(extension=".mp4").code[10:] == ".mp4"
    for extension in ("", ".", ".a b", ".é", "." + "a" * 17, "mp4", "./x", ".tar.gz"):
        assert len(service.share_link(extension=extension).code) == 10
    assert len(service.shared(form="code", extension=".mp4").code) == 5


def test_all_shares_of_files_end_and_give_them_back(service: ShareService) -> None:
    files = [uuid4(), uuid4()]
    ended = [service.shared(file_id=str(file_id), form=form) for file_id in files for form in ("code", "link")]
    kept = service.share_link()
    body = {"file_ids": [str(file_id) for file_id in [*files, uuid4()]]}
    for _ in range(2):
        answer = service.internal("POST", "/internal/shares/end", body)
        assert (answer.status_code, answer.json()) == (200, {})
    assert {state_of(service, share.id) for share in ended} == {"ended"}
    assert state_of(service, kept.id) == "active"
    assert service.client().get(f"/f/{ended[1].code}").status_code == 404


def test_all_shares_of_a_file_take_its_new_name(service: ShareService) -> None:
    file_id = str(uuid4())
    shares, other = [service.share_link(file_id=file_id) for _ in range(2)], service.share_link()
    answer = service.internal("POST", "/internal/shares/rename", {"file_id": file_id, "name": "ü.html"})
    assert (answer.status_code, answer.json()) == (200, {})
    for share in shares:
        assert service.client().get(f"/f/{share.code}").headers["content-type"].startswith("text/html")
    assert service.client().get(f"/v1/links/{other.code}").json()["name"] == "a.bin"
    bad = service.internal("POST", "/internal/shares/rename", {"file_id": file_id, "name": "a\0b"})
    assert bad.status_code == 422


def test_each_internal_call_is_for_one_service(service: ShareService) -> None:
    for method, path, allowed in (
        ("POST", "/internal/shares/end", "upload"),
        ("POST", "/internal/shares/rename", "upload"),
        ("POST", "/internal/shares", "upload"),
        ("DELETE", f"/internal/accounts/{uuid4()}", "auth"),
    ):
        assert httpx.request(method, service.url + path, json={}).status_code == 401
        for caller in SECRETS:
            status = service.internal(method, path, {}, service=caller).status_code
            assert (status == 403) == (caller != allowed), (path, caller, status)
        person = service.sign_up().headers
        assert httpx.request(method, service.url + path, json={}, headers=person).status_code == 401


async def test_the_end_of_an_account_ends_its_shares_and_no_others(
    service: ShareService, worker: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("share_service.shares.following.END_BATCH", 2)
    me = service.sign_up()
    mine = [service.share_link(me) for _ in range(5)]
    other, nobodys = service.share_link(service.sign_up()), service.share_link()
    client = service.client(account=me)
    code = client.post("/share/text/", data={"text": "a secret"}).json()["detail"]["code"]
    for _ in range(2):
        answer = service.internal("DELETE", f"/internal/accounts/{me.id}", service="auth")
        assert (answer.status_code, answer.json()) == (200, {})
    for share in mine:
        assert service.client().get(f"/f/{share.code}").status_code == 404
    for share in (other, nobodys):
        assert service.client().get(f"/f/{share.code}").status_code == 200
    assert service.client().get("/share/select/", params={"code": code}).json()["code"] == 404
    assert query(service, "select body from share where code = %s", code) == [(None,)]
    # What was in flight meanwhile is found when it is asked again.
    late = service.share_link(me)
    service.internal("DELETE", f"/internal/accounts/{me.id}", service="auth")
    assert state_of(service, late.id) == "ended"
    await sweep(worker)
    assert {share.file_id for share in [*mine, late]} <= set(service.upload.released)
    assert not {other.file_id, nobodys.file_id} & set(service.upload.released)


# --- at the same moment


async def test_a_share_in_the_making_keeps_the_file_that_its_last_share_gives_up(
    service: ShareService, worker: Context
) -> None:
    me = service.sign_up()
    last = service.share_link(me)
    identity = Identity(me.id, me.name, Role.USER, uuid4(), None)
    wanted = NewShare(last.file_id, "link", NEVER)
    async with uncommitted(
        worker, service.database_url, lambda context: share_again(context, identity, wanted)
    ) as making:
        deleting = asyncio.create_task(asyncio.to_thread(_delete, service, me, last.id))
        await _until_waiting(service)
        await sweep(worker)
        assert not deleting.done()
    await deleting
    await sweep(worker)
    assert state_of(service, last.id) == "released"
    assert last.file_id not in service.upload.released
    assert service.client().get(f"/f/{making.result().code}").status_code == 200


async def test_ending_a_file_s_shares_also_ends_the_one_in_the_making(service: ShareService, worker: Context) -> None:
    me = service.sign_up()
    last = service.share_link(me)
    identity = Identity(me.id, me.name, Role.USER, uuid4(), None)
    wanted = NewShare(last.file_id, "link", NEVER)
    body = {"file_ids": [str(last.file_id)]}
    async with uncommitted(
        worker, service.database_url, lambda context: share_again(context, identity, wanted)
    ) as making:
        ending = asyncio.create_task(asyncio.to_thread(service.internal, "POST", "/internal/shares/end", body))
        await _until_waiting(service)
    assert (await ending).status_code == 200
    assert living_shares(service, last.file_id) == 0
    assert service.client().get(f"/f/{making.result().code}").status_code == 404


async def test_no_released_file_has_a_living_share_whoever_comes_first(service: ShareService, worker: Context) -> None:
    me = service.sign_up()
    client = service.client(account=me)
    outcomes: set[int] = set()
    for _ in range(40):
        last = service.share_link(me)
        body = {"file_id": str(last.file_id)}

        async def delete_and_release(share_id: UUID) -> None:
            await asyncio.to_thread(_delete, service, me, share_id)
            await sweep(worker)

        answer, _ = await asyncio.gather(
            asyncio.to_thread(client.post, "/v1/shares", json=body), delete_and_release(last.id)
        )
        await sweep(worker)
        outcomes.add(answer.status_code)
        living = living_shares(service, last.file_id)
        assert (answer.status_code, living, last.file_id in service.upload.released) in [
            (201, 1, False),
            (404, 0, True),
        ]
    assert outcomes <= {201, 404}


def _delete(service: ShareService, account: Account, share_id: UUID) -> None:
    answer = httpx.delete(f"{service.url}/v1/shares/{share_id}", headers=account.headers)
    assert answer.status_code == 204, answer.text


async def _until_waiting(service: ShareService) -> None:
    """Until some statement on the service's database waits for a lock."""
    statement = (
        "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        " and state = 'active'"
    )
    while not await asyncio.to_thread(query, service, statement):
        await asyncio.sleep(0.02)
