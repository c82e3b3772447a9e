"""File Uploader's `transfer`: accounts adopt files without an owner by their keys, over HTTP on real engines."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from common.errors import Conflict, Gone, NotFound
from tests.integration.share.asking import said
from tests.integration.share.running_share import Account, ShareService

PAST = "2020-01-01T00:00:00Z"


def test_files_are_adopted_by_their_keys(service: ShareService) -> None:
    me, other = service.sign_up(), service.sign_up()
    client = service.client(account=me)
    mine, theirs, ended = service.share_link(), service.share_link(other), service.share_link(expires_at=PAST)
    code = service.shared()
    left: list[Any] = [
        {"file_url": theirs.code, "key": theirs.delete_key},
        {"file_url": ended.code, "key": ended.delete_key},
        {"file_url": code.code, "key": code.delete_key},
        {"file_url": service.share_link().code, "key": str(uuid4())},
        {"file_url": "aaaaaaaaaa", "key": str(uuid4())},
        {"file_url": 7, "key": None, "more": ["ü"]},
        {"file_url": "a\0"},
        "text", None, 7.5, [], {},
    ]  # fmt: skip
    rows = [{"file_url": mine.code, "key": mine.delete_key, "user_filename": "x"}, *left]
    for _ in range(2):
        answer = client.post("/api/transfer", json={"data": rows})
        assert said(answer) == (200, {"status": "success", "message": "transferred", "unsuccess": left})
    assert [row["file_url"] for row in client.get("/api/get_files").json()["data"]] == [mine.code]
    assert service.upload.owners == {mine.file_id: me.id.hex}
    again = service.client(account=other).post("/api/transfer", json={"data": rows[:1]})
    assert again.json()["unsuccess"] == rows[:1]


def test_what_upload_does_not_give_is_not_adopted(service: ShareService) -> None:
    client = service.client(account=service.sign_up())
    links = [service.share_link() for _ in range(3)]
    for link, error in zip(links, (Conflict(), NotFound(), Gone()), strict=True):
        service.upload.says[link.file_id] = error
    rows = [{"file_url": link.code, "key": link.delete_key} for link in links]
    assert client.post("/api/transfer", json={"data": rows}).json()["unsuccess"] == rows
    assert client.get("/api/get_files").json()["data"] == []


def test_adopting_while_upload_is_down_can_be_asked_again(service: ShareService) -> None:
    client, link = service.client(account=service.sign_up()), service.share_link()
    body = {"data": [{"file_url": link.code, "key": link.delete_key}]}
    service.upload.is_down = True
    try:
        answer = client.post("/api/transfer", json=body)
    finally:
        service.upload.is_down = False
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert client.post("/api/transfer", json=body).json()["unsuccess"] == []


def test_of_two_accounts_with_the_key_one_adopts_file_and_share(service: ShareService) -> None:
    accounts = [service.sign_up() for _ in range(6)]
    link = service.share_link()
    body = {"data": [{"file_url": link.code, "key": link.delete_key}]}

    def adopt(account: Account) -> list[Any]:
        return service.client(account=account).post("/api/transfer", json=body).json()["unsuccess"]

    with ThreadPoolExecutor(len(accounts)) as pool:
        answers = list(pool.map(adopt, accounts))
    winners = [account for account, left in zip(accounts, answers, strict=True) if not left]
    assert len(winners) == 1
    with psycopg.connect(service.database_url) as connection:
        owner: tuple[UUID] | None = connection.execute("select owner from share where id = %s", [link.id]).fetchone()
    assert owner == (winners[0].id,)
    assert service.upload.owners[link.file_id] == winners[0].id.hex


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Couldn't parse request body"),
        (b"{", "Couldn't parse request body"),
        (b"[" * 100_000, "Couldn't parse request body"),
        (b'{"data": [NaN]}', "Couldn't parse request body"),
        (b'{"data": ["\\ud800"]}', "Couldn't parse request body"),
        (b'{"data": "x"}', "Couldn't parse request body"),
        (b"\xff\xfe", "Couldn't parse request body"),
        (b"[]", "No `data` field in request body"),
        (b"{}", "No `data` field in request body"),
        (b"null", "No `data` field in request body"),
        (b'{"data": [' + b"1," * 1000 + b"1]}", "More than 1000 files"),
        (b"x" * 2_000_000, None),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else "",
)
def test_a_malformed_transfer_is_refused(service: ShareService, body: bytes, message: str | None) -> None:
    client = service.client(account=service.sign_up())
    status, answer = said(client.post("/api/transfer", content=body))
    assert status in (400, 413)
    assert answer["status"] == "error"
    assert message is None or answer["message"] == message


def test_numbers_beyond_measure_are_given_back_or_refused(service: ShareService) -> None:
    client = service.client(account=service.sign_up())
    for number in (b"1" * 4000, b"1" * 5000, b"1e400", b"-0"):
        assert client.post("/api/transfer", content=b'{"data": [%s]}' % number).status_code in (200, 400)
