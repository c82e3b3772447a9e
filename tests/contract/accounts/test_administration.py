"""Native administration through the gateway: who may call it, what it refuses, what it does, and what it records."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local import credentials
from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.filecodebox import wire
from tests.sweeps import Sweeps

PASSWORD = "a good password"
NOBODY = str(uuid4())
LATE = "9999-12-31T23:59:59-23:00"
HUGE = [str(uuid4())] * 1001
NUL, SURROGATE = "a\0b", "\ud800"


@dataclass(frozen=True, slots=True)
class Callers:
    """The callers of one system. `member` is an account with a session of its own."""

    administrator: httpx.Client
    by_key: httpx.Client
    member: httpx.Client
    stranger: httpx.Client
    account: str


@pytest.fixture(scope="module")
def callers(stack: StartedStack) -> Iterator[Callers]:
    password = credentials.load(stack.folder)["admin_password"]
    with ExitStack() as opened:

        def of(token: str) -> httpx.Client:
            return opened.enter_context(client_of(stack, Authorization=token))

        stranger = opened.enter_context(client_of(stack))
        signed_in = stranger.post("/v1/auth/login", json={"name": "admin", "password": password}).json()
        administrator = of(f"Bearer {signed_in['token']}")
        pair = administrator.post("/v1/account/keys", json={"name": "key"}).json()
        basic = base64.b64encode(f"{pair['api_key']}:{pair['api_token']}".encode()).decode()
        member = stranger.post("/v1/auth/register", json={"name": f"member {uuid4().hex}", "password": PASSWORD}).json()
        account = member["account"]["id"]
        yield Callers(administrator, of(f"Basic {basic}"), of(f"Bearer {member['token']}"), stranger, account)


READS = (
    *("/v1/admin/accounts", f"/v1/admin/accounts/{NOBODY}", "/v1/admin/invitations"),
    *("/v1/admin/files", f"/v1/admin/files/{NOBODY}", "/v1/admin/fetches", "/v1/admin/mirrors"),
    *("/v1/admin/rooms", "/v1/admin/rooms/1", "/v1/admin/statistics", "/v1/admin/system"),
)
WRITES = (
    *(("PATCH", f"/v1/admin/accounts/{NOBODY}"), ("DELETE", f"/v1/admin/accounts/{NOBODY}")),
    *(("POST", f"/v1/admin/accounts/{NOBODY}/reset"), ("POST", "/v1/admin/invitations")),
    *(("DELETE", f"/v1/admin/invitations/{NOBODY}"), ("PATCH", f"/v1/admin/files/{NOBODY}")),
    *(("DELETE", f"/v1/admin/files/{NOBODY}"), ("POST", "/v1/admin/files/batch")),
    *(("DELETE", f"/v1/admin/fetches/{NOBODY}"), ("POST", "/v1/admin/mirrors/1/check")),
    *(("PATCH", "/v1/admin/rooms/1"), ("DELETE", "/v1/admin/rooms/1")),
)


def test_every_call_is_for_signed_in_administrators(callers: Callers) -> None:
    calls = [*(("GET", path) for path in READS), *WRITES]
    for method, path in calls:
        refused = [
            (name, client.request(method, path, json={}).status_code)
            for name, client in (("key", callers.by_key), ("member", callers.member), ("nobody", callers.stranger))
        ]
        assert refused == [("key", 403), ("member", 403), ("nobody", 401)], (method, path)


WRONG: list[tuple[str, str, Any, int]] = [
    # Lists: cursors, filters and keywords.
    *(
        ("GET", f"/v1/admin/{what}?{query}", None, status)
        for what in ("accounts", "files", "rooms")
        for query, status in (
            ("after=x", 400),
            ("after=", 400),
            ("after=WyJjcmVhdGVkX2F0IiwgMTAwMDAwMDAwMDAwMDAwMDAwMCwgIjAwIl0=", 400),
            ("search=a%00b", 422),
            (f"search={'a' * 201}", 422),
            ("search=%ED%A0%80", 200),
            ("sort=x", 422),
            ("order=up", 422),
            ("limit=0", 422),
            ("limit=201", 422),
        )
    ),
    ("GET", "/v1/admin/accounts?role=x", None, 422),
    ("GET", "/v1/admin/files?owner=x", None, 422),
    ("GET", "/v1/admin/files?larger_than=99999999999999999999", None, 422),
    ("GET", "/v1/admin/fetches?state=x", None, 422),
    ("GET", "/v1/admin/fetches?after=x", None, 400),
    ("GET", "/v1/admin/invitations?after=x", None, 400),
    *(
        ("GET", f"/v1/admin/statistics?{query}", None, status)
        for query, status in (
            ("step=week", 422),
            ("from=x", 422),
            ("from=2026-01-01T00:00:00", 422),
            (f"from={LATE}", 400),
            (f"to={LATE}", 400),
            ("to=0001-01-01T00:00:00Z", 400),
            ("from=2020-01-01T00:00:00Z", 400),
            ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 400),
        )
    ),
    # Ids that are none, or nobody's.
    *(("GET", f"/v1/admin/{what}/x", None, 422) for what in ("accounts", "files", "rooms")),
    *(("GET", f"/v1/admin/{what}/{NOBODY}", None, 404) for what in ("accounts", "files")),
    ("GET", "/v1/admin/rooms/9223372036854775807", None, 404),
    ("GET", "/v1/admin/rooms/9223372036854775808", None, 422),
    ("PATCH", f"/v1/admin/accounts/{NOBODY}", {"role": "user"}, 404),
    ("DELETE", f"/v1/admin/accounts/{NOBODY}", None, 404),
    ("POST", f"/v1/admin/accounts/{NOBODY}/reset", None, 404),
    ("DELETE", f"/v1/admin/invitations/{NOBODY}", None, 404),
    ("PATCH", f"/v1/admin/files/{NOBODY}", {"name": "a"}, 404),
    ("DELETE", f"/v1/admin/files/{NOBODY}", None, 404),
    ("DELETE", f"/v1/admin/fetches/{NOBODY}", None, 404),
    ("POST", "/v1/admin/mirrors/2147483647/check", None, 404),
    ("POST", "/v1/admin/mirrors/2147483648/check", None, 422),
    ("PATCH", "/v1/admin/rooms/9223372036854775807", {"capacity": 5}, 404),
    ("DELETE", "/v1/admin/rooms/9223372036854775807", None, 404),
    # Bodies.
    *(("PATCH", f"/v1/admin/accounts/{NOBODY}", body, 400) for body in ({"role": "x"}, {"reason": NUL}, {"x": 1}, [])),
    *(
        ("POST", "/v1/admin/invitations", body, 400)
        for body in ({"days": 0}, {"days": 1e9}, {"note": NUL}, {"note": SURROGATE}, {"note": "a" * 501}, {"role": "x"})
    ),
    *(("PATCH", f"/v1/admin/files/{NOBODY}", body, 400) for body in ({"name": NUL}, {"name": SURROGATE}, {"name": ""})),
    *(
        ("POST", "/v1/admin/files/batch", body, 400)
        for body in ({"ids": HUGE, "act": "delete"}, {"ids": [], "act": "delete"}, {"ids": [NOBODY], "act": "x"})
    ),
    *(("PATCH", "/v1/admin/rooms/1", body, 400) for body in ({"capacity": 0}, {"lifetime_seconds": 2**31}, {"x": 1})),
    *(("POST", "/v1/auth/reset", body, 400) for body in ({}, {"token": "a" * 101, "password": PASSWORD})),
    ("POST", "/v1/auth/reset", {"token": NUL, "password": PASSWORD}, 404),
    ("POST", "/v1/auth/register", {"name": "a", "password": PASSWORD, "invitation": NUL}, 403),
]


def test_wrong_input_is_refused_clearly(callers: Callers) -> None:
    wrong = []
    for method, path, body, status in WRONG:
        # A lone surrogate has no form in UTF-8, but an escape in JSON.
        content = None if body is None else json.dumps(body).encode()
        answer = callers.administrator.request(method, path, content=content)
        if answer.status_code != status or (status >= 400 and "code" not in answer.json()):
            wrong.append((method, path, str(body)[:60], answer.status_code, answer.text[:200]))
    assert wrong == []


def upload(client: httpx.Client, name: str, content: bytes) -> str:
    """The id of a file that was sent by tus."""
    encoded = base64.b64encode(name.encode()).decode()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content)), "Upload-Metadata": f"filename {encoded}"}
    made = client.post("/v1/uploads", headers=headers)
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    return client.patch(made.headers["Location"], headers=headers, content=content).headers["Waystation-File"]


def found(client: httpx.Client, what: str, **query: Any) -> list[dict[str, Any]]:
    """All pages of a list, one row a page."""
    rows: list[dict[str, Any]] = []
    while True:
        answer = client.get(f"/v1/admin/{what}", params={**query, "limit": 1})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        rows += page[what]
        assert ("after" in query) == (page["total"] is None)
        if page["next"] is None:
            return rows
        query["after"] = page["next"]


def acts(callers: Callers, kind: str, target: str) -> list[tuple[str, Any, Any]]:
    log = callers.administrator.get("/v1/admin/audit", params={"limit": 200}).json()["entries"]
    found = [entry for entry in log[::-1] if (entry["target_kind"], entry["target_id"]) == (kind, target)]
    return [(entry["act"], entry["old"], entry["new"]) for entry in found]


def test_files_are_found_renamed_and_deleted(callers: Callers) -> None:
    tag = uuid4().hex
    names = [f"{tag}_50% =1+1 <b>.csv", f"zz {tag}.txt", f"another {tag}.txt"]
    contents = [tag.encode() * (number + 1) for number in range(3)]
    files = [upload(callers.member, name, content) for name, content in zip(names, contents, strict=True)]
    admin = callers.administrator
    assert [row["id"] for row in found(admin, "files", search=tag, order="asc")] == files
    assert [row["id"] for row in found(admin, "files", search=tag, sort="size")] == files[::-1]
    assert [row["name"] for row in found(admin, "files", search=f"{tag}_50% =1+1 <B>")] == names[:1]
    assert found(admin, "files", search=f"{tag[:-1]}_50%") == []
    # Shorter keywords are found at the beginning of names alone.
    assert [row["id"] for row in found(admin, "files", search="zz", owner=callers.account)] == files[1:2]
    digest = hashlib.sha256(contents[1]).hexdigest()
    (row,) = found(admin, "files", search=digest.upper())
    assert (row["id"], row["sha256"], row["owner"], row["state"]) == (files[1], digest, callers.account, "ready")
    assert [row["id"] for row in found(admin, "files", search=tag, larger_than=64)] == files[:1:-1]
    assert found(admin, "files", search=tag, state="corrupt") == []

    path = f"/v1/admin/files/{files[0]}"
    assert admin.patch(path, json={"name": "../../etc/<i>.html"}).json()["name"] == "<i>.html"
    assert callers.member.get(f"/v1/files/{files[0]}").json()["name"] == "<i>.html"
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == callers.member.get(f"/v1/files/{files[0]}").status_code == 404
    batch = {"ids": [files[1], NOBODY, files[1], files[0]], "act": "delete"}
    assert admin.post("/v1/admin/files/batch", json=batch).json() == {"done": [files[1]], "missing": [NOBODY, files[0]]}
    assert acts(callers, "file", files[0]) == [
        ("file.change", {"name": names[0]}, {"name": "<i>.html"}),
        ("file.end", {"size": len(contents[0])}, None),
    ]
    assert [row["id"] for row in found(admin, "files", search=tag)] == files[2:]


def test_fetches_are_listed_without_secrets_and_canceled(callers: Callers) -> None:
    url = "http://user:password@192.0.2.1/path?token=secret#fragment"
    made = callers.member.post("/v1/fetches", json={"url": url}).json()
    rows = [row for row in found(callers.administrator, "fetches", owner=callers.account) if row["id"] == made["id"]]
    assert rows[0]["url"] == "http://192.0.2.1/path"
    answer = callers.administrator.delete(f"/v1/admin/fetches/{made['id']}")
    # The worker may have been faster: it refuses this address.
    assert answer.status_code in (204, 409)
    settled = found(callers.administrator, "fetches", owner=callers.account, state="canceled")
    assert (made["id"] in [row["id"] for row in settled]) == (answer.status_code == 204)
    assert [act for act, _, _ in acts(callers, "fetch", made["id"])] == ["fetch.cancel"] * (answer.status_code == 204)
    assert callers.administrator.delete(f"/v1/admin/fetches/{made['id']}").status_code == 409


def test_mirrors_are_seen_and_checked(callers: Callers, tmp_path_factory: pytest.TempPathFactory) -> None:
    admin, name = callers.administrator, f"mirror {uuid4().hex}"
    options = {"root": str(tmp_path_factory.mktemp("checked"))}
    mirror = admin.post("/v1/mirrors", json={"name": name, "kind": "fs", "options": options}).json()["id"]

    def health() -> str:
        mirrors = admin.get("/v1/admin/mirrors").json()["mirrors"]
        return next(one["health"] for one in mirrors if one["id"] == mirror)

    checked = admin.post(f"/v1/admin/mirrors/{mirror}/check")
    assert (checked.status_code, checked.json()["error"], health()) == (200, None, "ok")
    admin.patch(f"/v1/mirrors/{mirror}", json={"is_enabled": False})
    assert health() == "disabled"
    assert [act for act, _, _ in acts(callers, "mirror", str(mirror))] == [
        "mirror.create",
        "mirror.check",
        "mirror.change",
    ]
    admin.delete(f"/v1/mirrors/{mirror}", params={"forget": True})


def test_rooms_are_seen_changed_and_closed_without_their_contents(callers: Callers) -> None:
    admin, tag = callers.administrator, uuid4().hex
    made = [
        callers.member.post("/v1/rooms", json={"name": f"{kind} {tag}", "is_private": kind == "private"}).json()["id"]
        for kind in ("public", "private")
    ]
    said = f"a secret {uuid4().hex}"
    assert callers.member.post(f"/v1/rooms/{made[1]}/messages", json={"text": said}).status_code == 201
    rows = found(admin, "rooms", search=tag, order="asc")
    assert [(row["id"], row["kind"], row["members"], row["messages"]) for row in rows] == [
        (made[0], "public", 1, 0),
        (made[1], "private", 1, 1),
    ]
    assert rows[0]["last_message_at"] is None
    assert rows[1]["last_message_at"] >= rows[1]["created_at"][:19]
    assert said not in json.dumps(rows)
    assert [row["id"] for row in found(admin, "rooms", owner=callers.account, sort="name", order="asc")] == made[::-1]
    assert [row["id"] for row in found(admin, "rooms", search=tag, kind="public")] == made[:1]
    path = f"/v1/admin/rooms/{made[1]}"
    assert admin.get(f"/v1/rooms/{made[1]}/messages").status_code == 403
    assert admin.patch(path, json={"capacity": 2**31 - 1}).status_code == 400
    changed = admin.patch(path, json={"name": f"renamed {tag}", "capacity": 7}).json()
    assert (changed["name"], changed["capacity"]) == (f"renamed {tag}", 7)
    assert callers.member.get(f"/v1/rooms/{made[1]}").json()["capacity"] == 7
    assert admin.delete(path).status_code == 204
    assert callers.member.get(f"/v1/rooms/{made[1]}").status_code == 404
    assert acts(callers, "room", str(made[1])) == [
        ("room.change", {"name": f"private {tag}", "capacity": 100}, {"name": f"renamed {tag}", "capacity": 7}),
        ("room.close", {"owner": callers.account, "members": 1}, None),
    ]
    assert callers.member.delete(f"/v1/rooms/{made[0]}").status_code == 204
    assert acts(callers, "room", str(made[0])) == []


def test_statistics_tell_what_happened_in_which_dialect(callers: Callers, sweeps: Sweeps, client: httpx.Client) -> None:
    admin = callers.administrator

    def counted() -> dict[tuple[str, str], int]:
        answer = admin.get("/v1/admin/statistics")
        assert answer.status_code == 200, answer.text
        series = answer.json()["series"]
        assert len(answer.json()["times"]) == len(series["uploads"]["total"]) == 24
        return {
            (name, dialect): sum(values) for name in series for dialect, values in series[name]["by_dialect"].items()
        }

    before = counted()
    content = uuid4().hex.encode() * 4
    upload(callers.member, "counted.bin", content)
    code = wire.share_text(client, "counted", expire_value=1, expire_style="count")
    assert client.post("/share/select/", json={"code": code}).json()["code"] == 200
    assert client.post("/share/select/", json={"code": "ZZZZ9"}).json()["code"] == 404
    made = callers.member.post("/v1/shares", json={"items": [{"text": "counted"}, {"text": "twice"}]}).json()
    item = made["items"][0]["id"]
    assert client.get(f"/v1/codes/{made['code']}/items/{item}").status_code == 200
    assert callers.member.delete(f"/v1/shares/{made['id']}").status_code == 204
    wanted = {
        ("uploads", "uploads"): 1,
        ("bytes_in", "uploads"): len(content),
        ("shares_made", "filecodebox"): 1,
        ("downloads", "filecodebox"): 1,
        ("bytes_out", "filecodebox"): len("counted"),
        ("codes_refused", "filecodebox"): 1,
        ("shares_ended", "filecodebox"): 1,
        ("shares_made", "native"): 1,
        ("downloads", "native"): 1,
        ("shares_ended", "native"): 1,
    }

    def missing() -> dict[tuple[str, str], int]:
        now = counted()
        return {key: number for key, number in wanted.items() if now.get(key, 0) - before.get(key, 0) < number}

    try:
        sweeps.until(lambda: not missing(), "share.fold_statistics")
    except AssertionError:
        assert missing() == {}


def test_the_system_shows_all_of_its_parts(callers: Callers) -> None:
    deadline = time.monotonic() + 30
    while True:
        answer = callers.administrator.get("/v1/admin/system")
        assert answer.status_code == 200, answer.text
        system = answer.json()
        # A worker says every five seconds that it is there.
        if all(worker["healthy"] for worker in system["workers"]) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    names = ["auth", "chat", "share", "upload", "transfers"]
    assert [(worker["name"], worker["healthy"]) for worker in system["workers"]] == [(name, True) for name in names]
    assert [queue["name"] for queue in system["queues"]] == names
    services = {service["name"]: service for service in system["services"]}
    assert sorted(services) == ["auth", "chat", "share", "upload"]
    for service in services.values():
        assert service["healthy"], service
        assert service["version"] == system["version"]
        assert service["started_at"] < datetime.now(UTC).isoformat()
    engines = {engine["name"]: engine for engine in system["engines"]}
    assert all(engine["healthy"] for engine in engines.values()), engines
    assert engines["postgresql"]["version"]
    assert engines["valkey"]["version"]
    assert ("share", "shares to end") in [(waiting["service"], waiting["name"]) for waiting in system["backlog"]]
    store = system["store"]
    assert store["kind"] in ("folder", "s3")
    assert store["free_bytes"] is None or store["free_bytes"] > store["reserve_bytes"] >= 0
