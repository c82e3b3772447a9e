"""A change of the policy holds for every dialect within five seconds."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.local import credentials
from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.fileuploader import wire as uploader
from tests.contract.mirage.wire import User
from tests.contract.mirrorace.wire import Sender

SECONDS = 5
CONTENT = b"content"
TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(CONTENT))}

Send = Callable[[], bool]
"""Sends a file and tells whether it was taken."""


@pytest.fixture(scope="module")
def administrator(stack: StartedStack, client: httpx.Client) -> Iterator[httpx.Client]:
    password = credentials.load(stack.folder)["admin_password"]
    token = client.post("/v1/auth/login", json={"name": "admin", "password": password}).json()["token"]
    with client_of(stack, Authorization=f"Bearer {token}") as signed_in:
        yield signed_in


@pytest.fixture(scope="module")
def ways(client: httpx.Client) -> dict[str, Send]:
    """Every way of sending a file."""
    user, sender = User(client), Sender.register(client, client)
    room_id, _ = user.create()
    form = {"file": ("a.txt", CONTENT)}
    chunks = {"file_name": "a.bin", "file_size": len(CONTENT), "chunk_size": len(CONTENT), "file_hash": ""}

    def ok(method: str, path: str, **more: Any) -> Send:
        return lambda: client.request(method, path, **more).is_success

    def mirrorace() -> bool:
        answer = sender.post(sender.fields(sender.variables()), CONTENT)
        return answer.json()["status"] == "success"

    return {
        "FileCodeBox, form": ok("POST", "/share/file/", files=form),
        "FileCodeBox, chunks": ok("POST", "/chunk/upload/init/", json=chunks),
        "File Uploader": lambda: uploader.post(client, CONTENT).is_success,
        "Mirage": lambda: user.upload(room_id, CONTENT, "a.txt").is_success,
        "MirrorAce": mirrorace,
        "curl -T": ok("PUT", "/a.txt", content=CONTENT),
        "curl -F": ok("POST", "/", files=form, headers={"User-Agent": "curl/8.0"}),
        "tus": ok("POST", "/v1/uploads", headers=TUS),
        "the IETF's draft": ok("POST", "/v1/uploads", content=CONTENT, headers={"Upload-Complete": "?1"}),
    }


def change(administrator: httpx.Client, place_bytes: int | None) -> float:
    """Change the policy; returns the moment until which every dialect must know it."""
    return set_policy(administrator, place_bytes=place_bytes)


def set_policy(administrator: httpx.Client, **values: Any) -> float:
    version = administrator.get("/v1/policy").json()["version"]
    answer = administrator.patch("/v1/policy", json={"version": version, "values": values})
    assert answer.status_code == 200, answer.text
    return time.monotonic() + SECONDS


def obeying(ways: dict[str, Send], until: float, *, taken: bool) -> None:
    """Each way takes a file, or none does, by that moment: its last try was begun before."""
    for name, send in ways.items():
        while send() != taken:
            assert time.monotonic() < until, name
            time.sleep(0.1)


def test_no_dialect_takes_a_byte_more_once_the_place_is_full(
    ways: dict[str, Send], administrator: httpx.Client
) -> None:
    obeying(ways, time.monotonic(), taken=True)
    try:
        obeying(ways, change(administrator, 1), taken=False)
    finally:
        until = change(administrator, None)
    obeying(ways, until, taken=True)


STRICTER: dict[str, Any] = {
    "open_upload": False,
    "upload_size": 1,
    "allowed_file_types": ["png"],
    "registration": False,
    "room_capacity_max": 1,
    "room_members": 1,
}


def test_what_has_begun_goes_on_when_the_policy_becomes_stricter(
    client: httpx.Client, administrator: httpx.Client
) -> None:
    """An upload is finished under the rules that it began with, a room keeps its own, and a session lasts."""
    account = {"name": f"user {uuid4().hex[:8]}", "password": "a good password"}
    session = client.post("/v1/auth/register", json=account).json()
    own = {"Authorization": f"Bearer {session['token']}"}
    made = client.post("/v1/rooms", json={"name": f"room {uuid4().hex[:8]}", "capacity": 3}, headers=own).json()
    room = f"/v1/rooms/{made['id']}"
    of_guest, upload = (client.post("/v1/uploads", headers=TUS | whose).headers["Location"] for whose in ({}, own))

    def registers() -> bool:
        return client.post("/v1/auth/register", json={**account, "name": f"user {uuid4().hex[:8]}"}).is_success

    refused: dict[str, Send] = {
        "an upload": lambda: client.post("/v1/uploads", headers=TUS | own).is_success,
        "an account": registers,
        "a larger room": lambda: client.patch(room, json={"capacity": 4}, headers=own).is_success,
        "a member": lambda: administrator.post(f"{room}/join", json={}).is_success,
    }
    until = set_policy(administrator, **STRICTER)
    try:
        obeying(refused, until, taken=False)
        step = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        sent = client.patch(upload, content=CONTENT, headers=step | own)
        assert (sent.status_code, sent.headers.get("Upload-Offset")) == (204, str(len(CONTENT))), sent.text
        # Guests are sent away at once.
        assert client.patch(of_guest, content=CONTENT, headers=step).status_code == 403
        for text in ("one", "two", "three"):
            assert client.post(f"{room}/messages", json={"text": text}, headers=own).status_code == 201
        kept = client.get(f"{room}/messages", headers=own).json()["messages"]
        assert [message["text"] for message in kept] == ["one", "two", "three"]
        assert client.get("/v1/account", headers=own).status_code == 200
        assert client.post("/v1/auth/login", json=account).status_code == 200
    finally:
        until = set_policy(administrator, **dict.fromkeys(STRICTER))
    # Tests that follow find the policy as it was.
    obeying(refused, until, taken=True)
