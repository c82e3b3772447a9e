"""A suspension ends what an account does everywhere, at once."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local import credentials
from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of

PASSWORD = "a good password"


@pytest.fixture(scope="module")
def administrator(stack: StartedStack, client: httpx.Client) -> Iterator[httpx.Client]:
    password = credentials.load(stack.folder)["admin_password"]
    token = client.post("/v1/auth/login", json={"name": "admin", "password": password}).json()["token"]
    with client_of(stack, Authorization=f"Bearer {token}") as signed_in:
        yield signed_in


def test_sessions_keys_and_streams_of_a_suspended_account_end(
    stack: StartedStack, client: httpx.Client, administrator: httpx.Client
) -> None:
    name = f"user {uuid4().hex[:8]}"
    made: dict[str, Any] = client.post("/v1/auth/register", json={"name": name, "password": PASSWORD}).json()
    account = made["account"]["id"]
    with ExitStack() as opened:
        theirs = opened.enter_context(client_of(stack, Authorization=f"Bearer {made['token']}"))
        pair = theirs.post("/v1/account/keys", json={"name": "mirrorace"}).json()
        keys = {"api_key": pair["api_key"], "api_token": pair["api_token"]}
        by_key = httpx.BasicAuth(pair["api_key"], pair["api_token"])
        share = theirs.post("/v1/shares", json={"items": [{"name": "to come", "size": 5}]}).json()
        room = theirs.post("/v1/rooms", json={"name": f"room {name}"}).json()["id"]
        streams = [
            opened.enter_context(theirs.stream("GET", path)).iter_lines()
            for path in (f"/v1/shares/{share['id']}/events", f"/v1/rooms/{room}/events")
        ]
        for stream in streams:
            next(stream)
        assert client.post("/api/v1/file/upload", data=keys).json()["status"] == "success"
        assert client.get("/v1/files", auth=by_key).status_code == 200

        path = f"/v1/admin/accounts/{account}"
        assert administrator.patch(path, json={"suspended": True, "reason": "test"}).status_code == 200
        for call in ("/v1/account", "/v1/files", "/v1/shares", "/v1/rooms"):
            assert theirs.get(call).status_code == 401
        assert client.get("/v1/files", auth=by_key).status_code == 401
        refused = client.post("/api/v1/file/upload", data=keys).json()
        assert refused == {"status": "error", "result": "Invalid api_key or api_token"}
        for stream in streams:
            # To its end.
            assert not any("\0" in line for line in stream)
        # What it shared is still there for others.
        assert client.get(f"/v1/codes/{share['code']}").status_code == 200
        assert administrator.patch(path, json={"suspended": False}).status_code == 200
        assert client.post("/api/v1/file/upload", data=keys).json()["status"] == "success"
    assert administrator.delete(path).status_code == 204
