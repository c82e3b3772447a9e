"""Changes that owners make to their files, as everybody else sees them through the gateway of the running system."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.filecodebox import wire as box
from tests.contract.fileuploader import wire
from tests.contract.traces import Traces
from tests.sweeps import Sweeps


@pytest.fixture
def owner(stack: StartedStack, client: httpx.Client) -> Iterator[httpx.Client]:
    with client_of(stack, **wire.bearer(wire.register(client))) as owner:
        yield owner


def upload(owner: httpx.Client, content: bytes, name: str = "a.txt") -> tuple[str, str]:
    """Upload a file; returns the path of its link, and its id."""
    link = wire.upload(owner, content, name)["file_url"]
    return f"/file/{link}", owner.get("/v1/files").json()["files"][0]["id"]


def test_the_owner_fetches_any_part_of_a_file_without_its_link(owner: httpx.Client) -> None:
    content = secrets.token_bytes(100_000)
    _, file_id = upload(owner, content, "ä b.html")
    path = f"/v1/files/{file_id}/content"
    whole = owner.get(path)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["content-disposition"] == "attachment; filename=\"_ b.html\"; filename*=UTF-8''%C3%A4%20b.html"
    assert owner.head(path).headers["content-length"] == "100000"
    part = owner.get(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, content[10:20])


def test_every_way_of_uploading_makes_a_file_of_the_account(owner: httpx.Client) -> None:
    contents = [secrets.token_bytes(100) for _ in range(4)]
    wire.upload(owner, contents[0])
    box.share_file(owner, contents[1])
    box.detail(box.share_in_chunks(owner, contents[2]))
    box.detail(box.put_file(owner, box.presign(owner, 100)["upload_url"], contents[3]))
    files = owner.get("/v1/files").json()["files"]
    assert [file["sha256"] for file in files] == [box.sha256(content) for content in reversed(contents)]


def test_links_show_the_new_name_of_a_file(client: httpx.Client, owner: httpx.Client) -> None:
    path, file_id = upload(owner, b"content", "old.bin")
    assert owner.patch(f"/v1/files/{file_id}", json={"name": "new.bin"}).status_code == 200
    assert (
        client.get(path).headers["content-disposition"] == "attachment; filename=\"new.bin\"; filename*=UTF-8''new.bin"
    )


def test_a_deleted_file_is_gone_for_everybody(client: httpx.Client, owner: httpx.Client, traces: Traces) -> None:
    with traces.nothing_left("file"):
        path, file_id = upload(owner, secrets.token_bytes(100))
        assert client.get(path).status_code == 200
        assert owner.delete(f"/v1/files/{file_id}").status_code == 204
        assert client.get(path).status_code == 404
        assert owner.get("/v1/files").json()["files"] == []


def test_a_deleted_file_has_no_code_any_more(client: httpx.Client, owner: httpx.Client) -> None:
    code = box.share_file(owner, secrets.token_bytes(100))
    file_id = owner.get("/v1/files").json()["files"][0]["id"]
    assert owner.delete(f"/v1/files/{file_id}").status_code == 204
    assert client.post("/share/select/", json={"code": code}).json() == box.ENDED


def test_other_files_with_the_same_content_stay(client: httpx.Client, owner: httpx.Client) -> None:
    content = secrets.token_bytes(100)
    path, file_id = upload(owner, content)
    others = f"/file/{wire.upload(client, content)['file_url']}"
    owner.delete(f"/v1/files/{file_id}")
    assert (client.get(path).status_code, client.get(others).content) == (404, content)


def test_a_file_expires_on_time_and_leaves_nothing(
    client: httpx.Client, owner: httpx.Client, traces: Traces, sweeps: Sweeps
) -> None:
    path, file_id = upload(owner, secrets.token_bytes(100))
    ends = datetime.now(UTC) + timedelta(seconds=2)
    assert owner.patch(f"/v1/files/{file_id}", json={"expires_at": ends.isoformat()}).status_code == 200
    while (asked := datetime.now(UTC)) < ends + timedelta(seconds=1):
        status = client.get(path).status_code
        assert status == 404 or asked < ends
        assert status == 200 or datetime.now(UTC) >= ends
    sweeps.until(
        lambda: not traces.ask("upload", "select 1 from file where id = %s", file_id),
        "upload.expire_files",
    )
    assert not traces.ask("share", "select 1 from share where file_id = %s and state = 'active'", file_id)


def test_a_files_password_guards_its_links(client: httpx.Client, owner: httpx.Client) -> None:
    path, file_id = upload(owner, b"content")
    assert owner.patch(f"/v1/files/{file_id}", json={"password": "sesame"}).status_code == 200
    assert client.get(path).status_code == 401
    assert client.get(path, auth=("", "wrong")).status_code == 401
    assert client.get(path, auth=("", "sesame")).content == b"content"
    assert owner.get(f"/v1/files/{file_id}/content").content == b"content"
    assert owner.patch(f"/v1/files/{file_id}", json={"password": None}).status_code == 200
    assert client.get(path).content == b"content"


def test_the_files_of_a_deleted_account_go_with_it(
    client: httpx.Client, owner: httpx.Client, traces: Traces, sweeps: Sweeps
) -> None:
    with traces.nothing_left("session"), traces.nothing_left("part"):
        path, file_id = upload(owner, secrets.token_bytes(100))
        content = secrets.token_bytes(200)
        upload_id = box.init(owner, content, chunk_size=100)
        box.detail(box.send_chunk(owner, upload_id, 0, content[:100]))
        answer = owner.request("DELETE", "/v1/account", json={"password": wire.PASSWORD})
        assert answer.status_code == 204, answer.text
        sweeps.until(lambda: client.get(path).status_code == 404, "auth.erase_accounts")
        sweeps.until(
            lambda: not traces.ask("upload", "select 1 from file where id = %s", file_id),
            *("auth.erase_accounts", "upload.expire_files"),
        )
    assert client.get(f"/chunk/upload/status/{upload_id}").status_code == 404
