"""MirrorAce's upload: its clients re-enacted at small limits, repeated chunks, and the ends of keys and sequences."""

import hashlib
import secrets
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from common.passwords import Passwords
from tests.conftest import Engines, MakeDatabase
from tests.contract.mirrorace.clients import CLIENTS, curl_form, dot_net_form, httpx_form
from tests.contract.mirrorace.wire import Sender, refused, succeeded
from tests.integration.upload.running_upload import UploadService, running_upload_service
from tests.stores import key_at
from upload_service.accounts.erasing import erase_account
from upload_service.content import files, verification
from upload_service.context import Context

LIMIT = 10
LARGEST = 1000
LIMITS: dict[str, Any] = {
    "mirrorace_max_chunk_size": LIMIT,
    "mirrorace_max_file_size": LARGEST,
    "mirrorace_max_mirrors": 3,
}
ANY_CLIENT = pytest.mark.parametrize("client", CLIENTS)


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, engines: Engines) -> Iterator[UploadService]:
    with running_upload_service(make_database, engines, **LIMITS) as service:
        yield service


def new_sender(service: UploadService) -> Sender:
    person = service.auth.sign_up()
    return Sender.of_token(person.client, service.client(), person.token)


@pytest.fixture
def sender(service: UploadService) -> Sender:
    return new_sender(service)


def content_of(service: UploadService, file_id: str) -> bytes:
    """The content that a download would serve, once a worker has joined it."""
    found: list[bytes] = []

    async def read(context: Context) -> None:
        async with context.db.connection() as connection:
            cursor = await connection.execute("select id from upload_session where file_id = %s", [file_id])
            row = await cursor.fetchone()
        assert row
        await verification.verify_upload(context, row[0])
        download = await files.open_download(context, UUID(file_id), "GET")
        key = key_at(download.stored_at.path)
        content = b"".join([block async for block in context.store.read(key)])
        assert hashlib.sha256(content).digest() == download.sha256
        found.append(content)

    service.run(read)
    return found[0]


def shared(service: UploadService, result: dict[str, Any]) -> dict[str, Any]:
    """The request to share for the page that a client was told of."""
    origins = [origin for origin, share in service.share.shares.items() if share["code"] == result["slug"]]
    return next(made for made in service.share.made if made["origin"] == origins[0])


def is_complete(service: UploadService, result: dict[str, Any], name: str, content: bytes) -> dict[str, Any]:
    """Assert the answer to a file's last chunk and the content of the file; returns the request to share."""
    slug = result["slug"]
    url = f"{service.url}/m/{slug}"
    assert result == {"name": name, "size": str(len(content)), "slug": slug, "url": url, "info": "complete"}
    made = shared(service, result)
    assert (made["form"], made["expires_at"], made["uses"], made["name"]) == ("page", None, None, name)
    assert content_of(service, made["file_id"]) == content
    return made


def test_the_variables_of_an_upload(service: UploadService, sender: Sender) -> None:
    for sent in ({"data": sender.credentials}, {"files": [(n, (None, v)) for n, v in sender.credentials.items()]}):
        result = succeeded(sender.client.post("/api/v1/file/upload", **sent))  # type: ignore[arg-type]
        tracker, key, expiry = (result.pop(name) for name in ("cTracker", "upload_key", "upload_key_expiry"))
        for value in (tracker, key):
            assert len(value) == 32
            assert set(value) <= set("0123456789abcdef")
        assert len(expiry) == len("2018-10-23 11:07:02")
        assert result == {
            "server": service.url,
            "server_file": f"{service.url}/api/v1/upload?tracker={tracker}",
            "server_remote": f"{service.url}/api/v1/upload/remote",
            "mirrors": {},
            "default_mirrors": [],
            "max_chunk_size": str(LIMIT),
            "max_file_size": str(LARGEST),
            "max_mirrors": "3",
        }
    assert sender.variables()["cTracker"] != sender.variables()["cTracker"]
    # The key itself is stored nowhere.
    assert bytes.fromhex(key) not in [digest for (digest,) in service.ask("select digest from upload_key")]
    answer = sender.client.post("/api/v1/file/upload", data={**sender.credentials, "api_token": "0" * 32})
    refused(answer, "Invalid api_key or api_token")


@ANY_CLIENT
@pytest.mark.parametrize("size", [1, 9, 10, 11, 12, 19, 20, 21, 22, 23, 33, 99])
def test_every_clients_file_comes_out_whole(service: UploadService, sender: Sender, client: str, size: int) -> None:
    chunks, form = CLIENTS[client]
    if client == ".NET" and size % LIMIT == 0:
        # The client's own library refuses to send its last chunk.
        return
    variables, content = sender.variables(), secrets.token_bytes(size)
    # `mirror-up` sends back everything that it was told; a text field is not the file.
    more = {"server": "x", "max_mirrors": "100", "files": "text"} if client == "mirror-up" else {}
    results = [
        succeeded(sender.send(form(sender.fields(variables, **more), "n.txt", payload), header))
        for header, payload in chunks(content, LIMIT)
    ]
    pending = {"name": "n.txt", "size": str(size), "info": "continue"}
    *before, last = results
    # Where the example miscounts its chunks, it gets the last answer twice.
    assert all(result in (pending, last) for result in before)
    if client == ".NET":
        assert last not in before
    made = is_complete(service, last, "n.txt", content)
    assert made["password_hash"] is None


@ANY_CLIENT
@pytest.mark.parametrize("size", [9, 21, 33, 55])
def test_a_chunk_whose_answer_was_lost_is_sent_again(
    service: UploadService, sender: Sender, client: str, size: int
) -> None:
    chunks, form = CLIENTS[client]
    variables, content = sender.variables(), secrets.token_bytes(size)
    result: dict[str, Any] = {}
    for header, payload in chunks(content, LIMIT):
        for _ in range(2):
            result = succeeded(sender.send(form(sender.fields(variables), "n.txt", payload), header))
    is_complete(service, result, "n.txt", content)


@ANY_CLIENT
def test_a_chunk_that_broke_off_is_sent_again(service: UploadService, sender: Sender, client: str) -> None:
    chunks, form = CLIENTS[client]
    variables, content = sender.variables(), secrets.token_bytes(33)
    result: dict[str, Any] = {}
    for header, payload in chunks(content, LIMIT):
        kind, body = form(sender.fields(variables), "n.txt", payload)
        # The form ends in the middle of its file.
        cut = body[: -len(payload) // 2 - 60]
        refused(sender.send((kind, cut), header))
        result = succeeded(sender.send((kind, body), header))
    is_complete(service, result, "n.txt", content)


@pytest.mark.parametrize("form", [curl_form, httpx_form, dot_net_form])
@pytest.mark.parametrize("size", [0, 1, LIMIT, LIMIT + 1])
def test_without_a_range_the_part_is_the_file(service: UploadService, sender: Sender, form: Any, size: int) -> None:
    content, variables = secrets.token_bytes(size), sender.variables()
    for name in ("a.txt", "b.txt"):
        # The same key serves for one file after the other.
        result = succeeded(sender.send(form(sender.fields(variables), name, content)))
        made = is_complete(service, result, name, content)
        assert UUID(made["owner"])


def test_names_come_as_they_are(service: UploadService, sender: Sender) -> None:
    name = "\u732b \u00e4; 100%.txt"
    result = succeeded(sender.send(dot_net_form(sender.fields(sender.variables()), name, b"x")))
    is_complete(service, result, name, b"x")
    result = succeeded(sender.send(curl_form(sender.fields(sender.variables()), name.replace("%", ""), b"x")))
    assert result["name"] == name.replace("%", "")


def test_a_file_password_is_only_kept_as_a_hash(service: UploadService, sender: Sender) -> None:
    variables, password = sender.variables(), secrets.token_hex(8)
    fields = sender.fields(variables, file_password=password)
    succeeded(sender.post(fields, b"x" * 11, "bytes 0-10/12"))
    last = succeeded(sender.post(fields, b"y", "bytes 11-11/12"))
    whole = succeeded(sender.post(fields, b"z"))
    for result in (last, whole):
        hashed = shared(service, result)["password_hash"]
        assert hashed.startswith("$argon2id$")
        assert _matches(hashed, password)
    kept = service.ask(
        "select upload_session::text from upload_session union all select upload_key::text from upload_key"
    )
    assert not [row for (row,) in kept if password in row]


def _matches(hashed: str, password: str) -> bool:
    passwords = Passwords()
    try:
        return passwords._verify(hashed, password.encode())
    finally:
        passwords.close()


def test_an_empty_chunk_repeats_the_last_answer(service: UploadService, sender: Sender) -> None:
    fields, content = sender.fields(sender.variables()), b"0123456789ab"
    assert succeeded(sender.post(fields, b"", "bytes 0-10/12"))["info"] == "continue"
    succeeded(sender.post(fields, content[:11], "bytes 0-10/12"))
    # In the middle of the file it changes nothing.
    assert succeeded(sender.post(fields, b"", "bytes 3-3/12"))["info"] == "continue"
    refused(sender.post(fields, b"", "bytes 13-13/14"))
    last = succeeded(sender.post(fields, content[11:], "bytes 11-11/12"))
    for _ in range(2):
        assert succeeded(sender.post(fields, b"", "bytes 12-11/12")) == last
    refused(sender.post(fields, b"", "bytes 11-11/12"))
    refused(sender.post(fields, b"", "bytes 13-13/13"))
    is_complete(service, last, "name.bin", content)


def test_a_finished_tracker_begins_a_new_file(service: UploadService, sender: Sender) -> None:
    fields = sender.fields(sender.variables())
    first = succeeded(sender.post(fields, b"first", "bytes 0-4/5"))
    second = succeeded(sender.post(fields, b"second", "bytes 0-5/6", "other.bin"))
    assert first["slug"] != second["slug"]
    is_complete(service, first, "name.bin", b"first")
    is_complete(service, second, "other.bin", b"second")
    # Only the last answer can be asked for again.
    assert succeeded(sender.post(fields, b"", "bytes 6-6/6")) == second
    empty = succeeded(sender.post(fields, b"", "bytes 0--1/0", "empty.bin"))
    is_complete(service, empty, "empty.bin", b"")
    assert succeeded(sender.post(fields, b"", "bytes 0--1/0", "empty.bin")) == empty


def test_only_the_very_same_chunk_is_taken_again_for_a_finished_file(service: UploadService, sender: Sender) -> None:
    fields = sender.fields(sender.variables())
    succeeded(sender.post(fields, b"0123456789a", "bytes 0-10/13"))
    last = succeeded(sender.post(fields, b"bc", "bytes 11-12/13"))
    assert succeeded(sender.post(fields, b"bc", "bytes 11-12/13")) == last
    refused(sender.post(fields, b"bd", "bytes 11-12/13"), "complete already")
    refused(sender.post(fields, b"b", "bytes 11-12/13"), "complete already")
    refused(sender.post(fields, b"bc", "bytes 11-12/14"), "has changed")
    is_complete(service, last, "name.bin", b"0123456789abc")


def test_a_file_that_was_not_finished_gives_way_to_another(service: UploadService, sender: Sender) -> None:
    fields = sender.fields(sender.variables())
    succeeded(sender.post(fields, b"0123456789a", "bytes 0-10/13"))
    # First the same file from its beginning, and then another one of the same size.
    succeeded(sender.post(fields, b"ABCDEFGHIJK", "bytes 0-10/13"))
    succeeded(sender.post(fields, b"abcdefghijk", "bytes 0-10/13", "other.bin"))
    is_complete(service, succeeded(sender.post(fields, b"lm", "bytes 11-12/13")), "other.bin", b"abcdefghijklm")
    assert service.ask("select count(*) from upload_session where state = 'open'") == [(0,)]


def test_a_chunk_rewrites_what_follows_it(service: UploadService, sender: Sender) -> None:
    fields = sender.fields(sender.variables())
    succeeded(sender.post(fields, b"0123456789", "bytes 0-10/26"))
    succeeded(sender.post(fields, b"0123456789", "bytes 10-20/26"))
    succeeded(sender.post(fields, b"ABCDEFG", "bytes 5-12/26"))
    succeeded(sender.post(fields, b"HIJKLMNOPQ", "bytes 12-22/26"))
    last = succeeded(sender.post(fields, b"RSTU", "bytes 22-26/26"))
    is_complete(service, last, "name.bin", b"01234ABCDEFGHIJKLMNOPQRSTU")


def test_what_was_begun_in_time_may_be_finished_later(service: UploadService, sender: Sender) -> None:
    variables, unused = sender.variables(), sender.variables()
    fields = sender.fields(variables)
    succeeded(sender.post(fields, b"0123456789a", "bytes 0-10/13"))
    service.ask("update upload_key set expires_at = now() - interval '1 hour'")
    last = succeeded(sender.post(fields, b"bc", "bytes 11-12/13"))
    is_complete(service, last, "name.bin", b"0123456789abc")
    assert succeeded(sender.post(fields, b"", "bytes 13-13/13")) == last
    assert succeeded(sender.post(fields, b"bc", "bytes 11-12/13")) == last
    # No new file can be begun.
    with service.nothing_left():
        refused(sender.post(fields, b"x", "bytes 0-0/1"), "expired")
        refused(sender.post(fields, b"x"), "expired")
        refused(sender.post(sender.fields(unused), b"x", "bytes 0-0/1"), "expired")


def test_a_share_service_that_is_down_loses_nothing(service: UploadService, sender: Sender) -> None:
    fields = sender.fields(sender.variables())
    succeeded(sender.post(fields, b"0123456789a", "bytes 0-10/13"))
    service.share.is_down = True
    try:
        answer = sender.post(fields, b"bc", "bytes 11-12/13")
        assert (answer.status_code, answer.json()["status"]) == (503, "error")
        before = service.left()
        assert sender.post(fields, secrets.token_bytes(10)).status_code == 503
    finally:
        service.share.is_down = False
    # The file that came in one form could not be shared, and the sweep removes it.
    service.sweep()
    assert service.left() <= before
    last = succeeded(sender.post(fields, b"bc", "bytes 11-12/13"))
    is_complete(service, last, "name.bin", b"0123456789abc")


def test_unused_keys_are_forgotten_and_an_erased_account_has_none(service: UploadService) -> None:
    sender, other = new_sender(service), new_sender(service)
    used, unused, fresh = sender.variables(), sender.variables(), other.variables()
    succeeded(sender.post(sender.fields(used), b"x", "bytes 0-0/1"))
    known = {name: UUID(variables["cTracker"]) for name, variables in (("used", used), ("unused", unused))}
    service.ask("update upload_key set expires_at = now() - interval '25 h' where id = any(%s)", list(known.values()))
    service.sweep()
    left = {row[0] for row in service.ask("select id from upload_key")}
    assert known["used"] in left
    assert known["unused"] not in left
    assert UUID(fresh["cTracker"]) in left
    account = service.ask("select account from upload_key where id = %s", UUID(fresh["cTracker"]))[0][0]

    async def erase(context: Context) -> None:
        await erase_account(context, account)

    service.run(erase)
    assert service.ask("select id from upload_key where account = %s", account) == []


def test_a_sequence_that_is_left_alone_leaves_nothing(service: UploadService, sender: Sender) -> None:
    with service.nothing_left():
        fields = sender.fields(sender.variables())
        succeeded(sender.post(fields, b"0123456789a", "bytes 0-10/13"))
        service.ask("update upload_session set expires_at = now() where state = 'open'")
        refused(sender.post(fields, b"bc", "bytes 11-12/13"))
        service.sweep()


def test_a_key_is_an_api_keys_own(service: UploadService, sender: Sender) -> None:
    """Another API key of the same account cannot use it, nor can one that was revoked."""
    person = service.auth.sign_up()
    mine, second = (Sender.of_token(person.client, service.client(), person.token) for _ in range(2))
    variables = mine.variables()
    with service.nothing_left():
        refused(second.post(second.fields(variables), b"x"), "upload key")
        refused(sender.post(sender.fields(variables), b"x"), "upload key")
    keys = person.client.get("/v1/account/keys").json()["keys"]
    for key in keys:
        assert person.client.delete(f"/v1/account/keys/{key['id']}").status_code == 204
    with service.nothing_left():
        refused(mine.post(mine.fields(variables), b"x"), "Invalid api_key or api_token")


def test_a_remote_upload_is_checked_first(service: UploadService, sender: Sender) -> None:
    variables = sender.variables()

    def ask(**changes: str) -> httpx.Response:
        fields = {**dict(sender.fields(variables)), "url": "https://example.org/a.bin", **changes}
        return sender.client.post("/api/v1/upload/remote", data={n: v for n, v in fields.items() if v != "-"})

    refused(ask(url="-"), "url is missing")
    refused(ask(url="ftp://example.org/a"), "http")
    refused(ask(url="a.bin"))
    refused(ask(api_token="0" * 32), "Invalid api_key or api_token")
    refused(ask(cTracker="0" * 32), "upload key")
    refused(ask(upload_key="0" * 32), "upload key")
    refused(ask(upload_key="-"), "upload_key is missing")
    service.ask("update upload_key set expires_at = now()")
    refused(ask(), "expired")


def test_uploads_stand_still_no_longer_than_their_session(service: UploadService, sender: Sender) -> None:
    """Each chunk gives the sequence more time."""
    fields = sender.fields(sender.variables())
    succeeded(sender.post(fields, b"0123456789a", "bytes 0-10/13"))
    service.ask("update upload_session set expires_at = now() + interval '1 min' where state = 'open'")
    succeeded(sender.post(fields, b"b", "bytes 11-11/13"))
    left = service.ask("select expires_at - now() from upload_session where state = 'open'")[0][0]
    assert left > timedelta(hours=23)
