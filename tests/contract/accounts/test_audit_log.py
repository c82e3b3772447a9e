"""The audit log: acts in every service, shown as one."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local import credentials
from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.filecodebox import wire
from tests.contract.traces import Traces

PASSWORD = "a good password"
HOSTILE = "=cmd|'/C calc'!A0,\"b\"\n<script>alert(1)</script>\u2028end"
"""A formula to a table, a script to a page, and several lines."""


@pytest.fixture(scope="module")
def administrator(stack: StartedStack, client: httpx.Client) -> Iterator[httpx.Client]:
    password = credentials.load(stack.folder)["admin_password"]
    token = client.post("/v1/auth/login", json={"name": "admin", "password": password}).json()["token"]
    with client_of(stack, Authorization=f"Bearer {token}") as signed_in:
        yield signed_in


def pages(
    administrator: httpx.Client, limit: int, filters: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """All entries, or those that filters leave, page after page."""
    query: dict[str, Any] = {"limit": limit, **(filters or {})}
    while True:
        answer = administrator.get("/v1/admin/audit", params=query)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["entries"]) <= limit
        yield from answer.json()["entries"]
        if answer.json()["next"] is None:
            return
        query["after"] = answer.json()["next"]


def test_acts_in_every_service_are_one_log(
    stack: StartedStack, client: httpx.Client, administrator: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name = f"user {uuid4().hex[:8]}"
    person = client.post("/v1/auth/register", json={"name": name, "password": PASSWORD}).json()
    account, own = person["account"]["id"], {"Authorization": f"Bearer {person['token']}"}
    key = client.post("/v1/account/keys", json={"name": "laptop"}, headers=own).json()
    for role in ("administrator", "user", "user"):
        assert administrator.patch(f"/v1/accounts/{account}", json={"role": role}).status_code == 200
    code = wire.share_text(client, "to be ended", expire_style="forever")
    share = administrator.get("/v1/admin/shares", params={"search": code}).json()["shares"][0]["id"]
    noted = {"note": HOSTILE, "tags": ["=1+1", "<b>"]}
    assert administrator.patch(f"/v1/admin/shares/{share}", json=noted).status_code == 200
    assert administrator.delete(f"/v1/shares/{share}").status_code == 204
    assert administrator.delete(f"/v1/shares/{share}").status_code == 204
    root = tmp_path_factory.mktemp("audited")
    mirror = administrator.post("/v1/mirrors", json={"name": name, "kind": "fs", "options": {"root": str(root)}}).json()
    assert administrator.patch(f"/v1/mirrors/{mirror['id']}", json={"parallel": 3}).status_code == 200
    assert administrator.delete(f"/v1/mirrors/{mirror['id']}").status_code in (202, 204)
    assert client.delete(f"/v1/account/keys/{key['id']}", headers=own).status_code == 204
    assert administrator.delete(f"/v1/accounts/{account}").status_code == 204
    found = list(pages(administrator, 3))
    assert found == sorted(found, key=lambda entry: (entry["at"], entry["id"]), reverse=True)
    targets = {("account", account), ("share", share), ("key", key["id"]), ("mirror", str(mirror["id"]))}
    mine = [entry for entry in found if (entry["target_kind"], entry["target_id"]) in targets][::-1]
    assert [(entry["act"], entry["target_kind"]) for entry in mine] == [
        ("key.create", "key"),
        ("account.role", "account"),
        ("account.role", "account"),
        ("share.annotate", "share"),
        ("share.end", "share"),
        ("mirror.create", "mirror"),
        ("mirror.change", "mirror"),
        ("mirror.remove", "mirror"),
        ("key.delete", "key"),
        ("account.delete", "account"),
    ]
    assert {(entry["account_name"], entry["address"]) for entry in mine} == {
        ("admin", "127.0.0.1"),
        (name, "127.0.0.1"),
    }
    assert (mine[1]["old"], mine[1]["new"]) == ({"role": "user"}, {"role": "administrator"})
    assert mine[3]["new"] == noted
    assert (mine[6]["old"]["parallel"], mine[6]["new"]["parallel"]) == (2, 3)
    assert all(entry["request_id"] for entry in mine)
    text = json.dumps(found)
    assert key["api_key"] not in text
    assert code not in text
    export = administrator.get("/v1/admin/audit/export")
    assert export.headers["content-type"] == "application/x-ndjson"
    assert "audit.jsonl" in export.headers["content-disposition"]
    # Whatever is in a value, an entry is one line of JSON, and no program takes a cell of a table for a formula.
    assert [json.loads(line) for line in export.content.splitlines()] == list(pages(administrator, 200))


def test_the_log_is_filtered_in_every_service(client: httpx.Client, administrator: httpx.Client) -> None:
    name = f"User {uuid4().hex[:8]} ÄÖ =1+1"
    person = client.post("/v1/auth/register", json={"name": name, "password": PASSWORD}).json()
    account, own = person["account"]["id"], {"Authorization": f"Bearer {person['token']}"}
    key = client.post("/v1/account/keys", json={"name": name}, headers=own).json()
    assert administrator.put(f"/v1/admin/quotas/{account}", json={"bytes": 1, "files": 1}).status_code == 204
    assert administrator.delete(f"/v1/accounts/{account}").status_code == 204
    everything = {entry["id"]: entry for entry in pages(administrator, 200)}
    made, quota, deleted = (
        next(entry for entry in everything.values() if (entry["act"], entry["target_id"]) == wanted)
        for wanted in (("key.create", key["id"]), ("quota.change", account), ("account.delete", account))
    )
    lasting = {"from": made["at"], "until": deleted["at"]}
    for query, expected in [
        ({"actor": name.upper()}, [made]),
        ({"actor": account}, [made]),
        ({"target": name.lower()}, [deleted, made]),
        ({"target": account}, [deleted, quota]),
        ({"target": account.upper()}, [deleted, quota]),
        ({"target": account, "address": "::ffff:127.0.0.1"}, [deleted, quota]),
        ({"target": account, "act": "quota"}, [quota]),
        ({"target": account, "act": "account.delete", "actor": "ADMIN"}, [deleted]),
        ({"target": account, "act": "delete"}, []),
        ({"target": account, "address": "127.0.0.1"}, [deleted, quota]),
        ({"target": account, "address": "::1"}, []),
        ({"target": account, **lasting}, [quota]),
        ({"target": account, "from": deleted["at"]}, [deleted]),
    ]:
        assert list(pages(administrator, 1, query)) == expected, query
        export = administrator.get("/v1/admin/audit/export", params=query).text
        assert [json.loads(line) for line in export.splitlines()] == expected, query


WRONG = [
    *({"act": act} for act in ("", "Share.end", "share.", "share.end.now", "share%", "x" * 99)),
    *({name: value} for name in ("actor", "target") for value in ("", "a\0", "x" * 201)),
    *({"address": address} for address in ("", "somewhere", "10.0.0.0/8")),
    *({name: at} for name in ("from", "until") for at in ("", "now", "2026-01-01T00:00:00", "10000-01-01T00:00:00Z")),
    {"from": "2026-01-02T00:00:00Z", "until": "2026-01-02T00:00:00Z"},
]


def test_filters_that_make_no_sense_are_refused(administrator: httpx.Client) -> None:
    for query in WRONG:
        for path in ("/v1/admin/audit", "/v1/admin/audit/export"):
            assert administrator.get(path, params=query).status_code in (400, 422), query
    # These do make sense: the ends of time, and text that is no word of SQL.
    for query in ({"from": "0001-01-01T00:00:00+14:00", "until": "9999-12-31T23:59:59-14:00"}, {"actor": "'%_\\"}):
        assert administrator.get("/v1/admin/audit", params=query).status_code == 200, query


def test_the_log_is_for_administrators(client: httpx.Client, administrator: httpx.Client) -> None:
    person = client.post("/v1/auth/register", json={"name": f"user {uuid4().hex[:8]}", "password": PASSWORD}).json()
    for path in ("/v1/admin/audit", "/v1/admin/audit/export"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"Authorization": f"Bearer {person['token']}"}).status_code == 403
    for after in ("x", ""):
        assert administrator.get("/v1/admin/audit", params={"after": after}).status_code == 400


def test_the_log_of_each_service_is_only_ever_added_to(traces: Traces) -> None:
    for service in ("auth", "chat", "share", "upload"):
        assert traces.ask(service, "select count(*) from pg_trigger where tgrelid = 'audit_entry'::regclass") == [(2,)]
