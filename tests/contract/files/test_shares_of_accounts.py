"""Shares and their files on the running system: when they are removed, and when they stay."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.fileuploader import wire
from tests.contract.traces import Traces
from tests.sweeps import Sweeps


@pytest.fixture(scope="module")
def owner(stack: StartedStack, client: httpx.Client) -> Iterator[httpx.Client]:
    with client_of(stack, **wire.bearer(wire.register(client))) as owner:
        yield owner


def upload(owner: httpx.Client, content: bytes = b"content", name: str = "a.txt") -> tuple[str, str]:
    """Upload a file as its owner; returns the ids of the file and of its share."""
    code = wire.upload(owner, content, name)["file_url"]
    share = next(share for share in owner.get("/v1/shares").json()["shares"] if share["code"] == code)
    return share["file_id"], share["id"]


def test_a_file_is_removed_with_its_last_share_and_not_before(
    owner: httpx.Client, client: httpx.Client, traces: Traces, sweeps: Sweeps
) -> None:
    file_id, first = upload(owner)
    second = owner.post("/v1/shares", json={"file_id": file_id}).json()
    assert owner.delete(f"/v1/shares/{first}").status_code == 204
    released = [("released",)]
    sweeps.until(
        lambda: traces.ask("share", "select state from share where id = %s", first) == released, "share.expire_shares"
    )
    assert client.get(second["url"]).content == b"content"
    assert owner.get(f"/v1/files/{file_id}").status_code == 200
    assert owner.delete(f"/v1/shares/{second['id']}").status_code == 204
    assert client.get(second["url"]).status_code == 404
    sweeps.until(
        lambda: owner.get(f"/v1/files/{file_id}").status_code == 404, "share.expire_shares", "upload.expire_files"
    )
    assert owner.post("/v1/shares", json={"file_id": file_id}).status_code == 404


def test_deleting_a_file_ends_its_shares(owner: httpx.Client, client: httpx.Client, sweeps: Sweeps) -> None:
    file_id, share_id = upload(owner)
    second = owner.post("/v1/shares", json={"file_id": file_id, "form": "code"}).json()
    assert owner.delete(f"/v1/files/{file_id}").status_code == 204
    sweeps.until(lambda: owner.get(f"/v1/shares/{share_id}").json()["state"] == "ended")
    assert client.get("/share/select/", params={"code": second["code"]}).json()["code"] == 404
    assert owner.post("/v1/shares", json={"file_id": file_id}).status_code == 404


def test_no_share_outlives_a_file_that_is_deleted_while_it_is_made(
    owner: httpx.Client, client: httpx.Client, traces: Traces, sweeps: Sweeps
) -> None:
    living = "select 1 from share where file_id = %s and state in ('active', 'spent')"
    for _ in range(5):
        file_id, _ = upload(owner)
        with ThreadPoolExecutor(4) as pool:
            making = [pool.submit(owner.post, "/v1/shares", json={"file_id": file_id}) for _ in range(3)]
            deleting = pool.submit(owner.delete, f"/v1/files/{file_id}")
        assert deleting.result().status_code == 204
        answers = [made.result() for made in making]
        assert {answer.status_code for answer in answers} <= {201, 404}
        sweeps.until(lambda file_id=file_id: not traces.ask("share", living, file_id))
        for answer in answers:
            if answer.status_code == 201:
                assert client.get(answer.json()["url"]).status_code == 404


def test_shares_get_the_new_name_of_their_file(owner: httpx.Client, client: httpx.Client) -> None:
    file_id, share_id = upload(owner, name="a.exe")
    assert owner.patch(f"/v1/files/{file_id}", json={"name": "ü.png"}).status_code == 200
    share = owner.get(f"/v1/shares/{share_id}").json()
    assert share["name"] == "ü.png"
    assert client.get(share["url"]).headers["content-type"] == "image/png"


def test_a_file_without_an_owner_can_be_transferred_to_an_account(owner: httpx.Client, client: httpx.Client) -> None:
    link = wire.upload(client, b"mine now")
    data = [{"file_url": link["file_url"], "key": link["key"]}]
    assert wire.succeeded(owner.post("/api/transfer", json={"data": data}))["unsuccess"] == []
    share = next(one for one in owner.get("/v1/shares").json()["shares"] if one["code"] == link["file_url"])
    assert owner.get(f"/v1/files/{share['file_id']}/content").content == b"mine now"
    assert owner.patch(f"/v1/shares/{share['id']}", json={"downloads_left": 1}).status_code == 200
    assert [client.get(share["url"]).status_code for _ in range(2)] == [200, 404]


def test_nothing_of_an_account_is_left_when_it_is_deleted(
    stack: StartedStack, client: httpx.Client, traces: Traces, sweeps: Sweeps
) -> None:
    name = wire.new_name()
    with client_of(stack, **wire.bearer(wire.register(client, name))) as leaving:
        file_id, _ = upload(leaving)
        link = leaving.post("/v1/shares", json={"file_id": file_id}).json()
        code = leaving.post("/share/text/", data={"text": "a secret"}).json()["detail"]["code"]
        gone = leaving.request("DELETE", "/v1/account", json={"password": wire.PASSWORD})
        assert gone.status_code == 204, gone.text
        assert leaving.get("/v1/shares").status_code == 401
    sweeps.until(lambda: client.get(link["url"]).status_code == 404, "auth.erase_accounts")
    sweeps.until(lambda: client.get("/share/select/", params={"code": code}).json()["code"] == 404)
    assert traces.ask("share", "select body from share where code = %s", code) == [(None,)]
    sweeps.until(
        lambda: not traces.ask("upload", "select 1 from file where id = %s", file_id),
        *("auth.erase_accounts", "share.expire_shares", "upload.expire_files"),
    )
