"""The rights over files, shares, sessions and keys: every call of every protocol, by every kind of caller.

`common.rights` decides them; these tests show that every call asks it.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import httpx
import pytest

from deploy.local import credentials
from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.filecodebox import wire as box
from tests.contract.fileuploader import wire as uploader
from tests.contract.fileuploader.wire import bearer

CALLERS = ("owner", "stranger", "administrator", "nobody")
Callers = dict[str, httpx.Client]


@pytest.fixture(scope="module")
def callers(stack: StartedStack, client: httpx.Client) -> Iterator[Callers]:
    """Clients by name: signed in as the owner, a stranger or the administrator, and not signed in at all."""
    password = credentials.load(stack.folder)["admin_password"]
    answer = client.post("/api/login", json={"username": "admin", "password": password})
    tokens = {
        "owner": uploader.register(client),
        "stranger": uploader.register(client),
        "administrator": uploader.succeeded(answer)["accessToken"],
    }
    made = {caller: client_of(stack, **bearer(token)) for caller, token in tokens.items()}
    yield {**made, "nobody": client}
    for caller in made.values():
        caller.close()


@dataclass(frozen=True)
class Things:
    """The owner's things: a file with its link, an open chunked upload of two chunks, a session and an API key."""

    link: dict[str, Any]
    file_id: str
    share_id: str
    upload_id: str
    session_id: str
    key_id: str


@pytest.fixture
def things(callers: Callers) -> Iterator[Things]:
    owner = callers["owner"]
    link = uploader.upload(owner, b"the content")
    share = next(share for share in owner.get("/v1/shares").json()["shares"] if share["code"] == link["file_url"])
    owner.post("/v1/account/uploaders/curl")
    session = next(each for each in owner.get("/v1/auth/sessions").json()["sessions"] if not each["current"])
    key = owner.post("/v1/account/keys", json={"name": "a key"})
    assert key.status_code == 201, key.text
    upload_id = box.init(owner, b"x" * 12, chunk_size=6)
    yield Things(link, share["file_id"], share["id"], upload_id, session["id"], key.json()["id"])
    # The number of keys and sessions of an account is limited.
    owner.delete(f"/v1/auth/sessions/{session['id']}")
    owner.delete(f"/v1/account/keys/{key.json()['id']}")


# Method, path, body, and the statuses that owner, stranger, administrator and nobody get.
Row = tuple[str, str, Any, tuple[int, int, int, int]]
NATIVE: list[Row] = [
    ("GET", "/v1/files/{file_id}", None, (200, 404, 200, 401)),
    ("GET", "/v1/files/{file_id}/content", None, (200, 404, 403, 401)),
    ("HEAD", "/v1/files/{file_id}/content", None, (200, 404, 403, 401)),
    ("PATCH", "/v1/files/{file_id}", {"name": "mine.txt"}, (200, 404, 403, 401)),
    ("DELETE", "/v1/files/{file_id}", None, (204, 404, 204, 401)),
    ("POST", "/v1/shares", {"file_id": "{file_id}"}, (201, 404, 403, 401)),
    ("GET", "/v1/shares/{share_id}", None, (200, 404, 200, 401)),
    ("PATCH", "/v1/shares/{share_id}", {"name": "mine.txt"}, (200, 404, 403, 401)),
    ("DELETE", "/v1/shares/{share_id}/items/{share_id}", None, (409, 404, 403, 401)),
    ("DELETE", "/v1/shares/{share_id}", None, (204, 404, 204, 401)),
    ("DELETE", "/v1/auth/sessions/{session_id}", None, (204, 404, 404, 401)),
    ("POST", "/v1/account/keys/{key_id}/regenerate", None, (200, 404, 404, 401)),
    ("DELETE", "/v1/account/keys/{key_id}", None, (204, 404, 404, 401)),
]
FILECODEBOX: list[Row] = [
    ("GET", "/chunk/upload/status/{upload_id}", None, (200, 404, 404, 404)),
    ("POST", "/chunk/upload/chunk/{upload_id}/0", b"x" * 6, (200, 404, 404, 404)),
    ("POST", "/chunk/upload/complete/{upload_id}", {"expire_value": 1, "expire_style": "day"}, (400, 404, 404, 404)),
    ("DELETE", "/chunk/upload/{upload_id}", None, (200, 404, 404, 404)),
]
FILE_UPLOADER: list[Row] = [
    # Only the deletion key gives the right to delete by a link, and no caller has sent it.
    ("GET", "/api/delete/{file_url}?key=x", None, (400, 400, 400, 400)),
    ("GET", "/file/{file_url}", None, (200, 200, 200, 200)),
    ("GET", "/v1/links/{file_url}", None, (200, 200, 200, 200)),
]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("row", NATIVE + FILECODEBOX + FILE_UPLOADER, ids=lambda row: f"{row[0]} {row[1]}")
def test_every_call_respects_ownership(callers: Callers, things: Things, row: Row, caller: str) -> None:
    method, path, body, statuses = row
    values = {**asdict(things), "file_url": things.link["file_url"]}
    content: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {}
    if isinstance(body, dict):
        filled = {name: value.format(**values) if isinstance(value, str) else value for name, value in body.items()}
        content = {"json": filled}
    answer = callers[caller].request(method, path.format(**values), **content)
    assert answer.status_code == statuses[CALLERS.index(caller)], answer.text


def test_lists_show_the_callers_own_things_only(callers: Callers, things: Things) -> None:
    for path, name, thing in (
        ("/v1/files", "files", things.file_id),
        ("/v1/shares", "shares", things.share_id),
        ("/v1/auth/sessions", "sessions", things.session_id),
        ("/v1/account/keys", "keys", things.key_id),
    ):
        assert callers["nobody"].get(path).status_code == 401
        for caller in ("owner", "stranger", "administrator"):
            rows = callers[caller].get(path).json()[name]
            assert (thing in [row["id"] for row in rows]) == (caller == "owner"), (path, caller)


def test_only_an_administrator_may_see_other_accounts(callers: Callers, things: Things) -> None:
    account_id = callers["owner"].get("/v1/account").json()["id"]
    for path in ("/v1/files", "/v1/shares"):
        for caller, status in (("owner", 200), ("stranger", 403), ("administrator", 200), ("nobody", 401)):
            answer = callers[caller].get(path, params={"owner": account_id})
            assert answer.status_code == status, (path, caller)
    for method, path, body in (
        ("GET", "/v1/accounts", None),
        ("PATCH", f"/v1/accounts/{account_id}", {"role": "administrator"}),
        ("DELETE", f"/v1/accounts/{account_id}", None),
        ("POST", "/v1/signing-keys", None),
    ):
        for caller, status in (("owner", 403), ("stranger", 403), ("nobody", 401)):
            assert callers[caller].request(method, path, json=body).status_code == status, (method, path, caller)
    assert callers["administrator"].get("/v1/accounts").status_code == 200


def test_a_file_with_an_owner_cannot_be_transferred_by_its_key(callers: Callers, things: Things) -> None:
    data = [{"file_url": things.link["file_url"], "key": things.link["key"]}]
    for caller in ("stranger", "administrator"):
        body = uploader.succeeded(callers[caller].post("/api/transfer", json={"data": data}))
        assert body["unsuccess"] == data
    assert callers["owner"].get(f"/v1/files/{things.file_id}").status_code == 200


def test_uploads_of_the_same_content_by_two_accounts_are_separate(callers: Callers, things: Things) -> None:
    for caller in ("stranger", "nobody"):
        assert box.init(callers[caller], b"x" * 12, chunk_size=6) != things.upload_id
    assert box.init(callers["owner"], b"x" * 12, chunk_size=6) == things.upload_id
