"""Shares of items while processes are killed: what a sender was told is there, and nothing is left of the rest."""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.traces import Traces
from tests.e2e.faults import PATIENCE, down, persist
from tests.integration.upload.dialects.tus_client import HEADERS, OFFSET_TYPE, metadata
from tests.sweeps import Sweeps

CONTENT = secrets.token_bytes(300_000)


@pytest.fixture
def client(stack: StartedStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        yield http


def shared(client: httpx.Client, *names: str) -> dict[str, Any]:
    items = [{"name": name, "size": len(CONTENT)} for name in names]
    return persist(lambda: client.post("/v1/shares", json={"items": items}), 201).json()


def begun(client: httpx.Client, ticket: str) -> str:
    headers = {**HEADERS, "Upload-Length": str(len(CONTENT)), "Upload-Metadata": metadata(item=ticket)}
    return persist(lambda: client.post("/v1/uploads", headers=headers), 201).headers["Location"]


def patch(client: httpx.Client, url: str, at: int, end: int | None = None) -> httpx.Response:
    headers = {**HEADERS, "Content-Type": OFFSET_TYPE, "Upload-Offset": str(at)}
    return client.patch(url, content=CONTENT[at:end], headers=headers)


def items(client: httpx.Client, code: str) -> dict[str, dict[str, Any]]:
    answer = persist(lambda: client.get(f"/v1/codes/{code}"), 200)
    return {item["name"]: item for item in answer.json()["items"]}


def until(holds: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < ends_at
        time.sleep(0.1)


@pytest.mark.long
def test_contents_find_their_items_whichever_process_dies(stack: StartedStack, client: httpx.Client) -> None:
    share = shared(client, "told to nobody", "resumed", "verified late")
    code, tickets = share["code"], [item["upload"] for item in share["items"]]
    first, second, third = (begun(client, ticket) for ticket in tickets)
    with down(stack, "share"):
        # All bytes are there and a file is made of them, but whose it is cannot be said. Its sender never comes back.
        assert patch(client, first, 0).status_code == 503
    assert items(client, code)["told to nobody"]["state"] == "ready"
    assert patch(client, second, 0, 100_000).status_code == 204
    with down(stack, "upload"), pytest.raises((httpx.TransportError, AssertionError)):
        assert patch(client, second, 100_000).status_code < 500
    at = int(persist(lambda: client.head(second, headers=HEADERS), 200).headers["Upload-Offset"])
    assert at == 100_000
    assert persist(lambda: patch(client, second, at), 204).headers["Waystation-File"]
    with down(stack, "worker"):
        # Two parts are joined by the worker.
        assert patch(client, third, 0, 150_000).status_code == 204
        assert patch(client, third, 150_000).status_code == 204
        assert items(client, code)["verified late"]["state"] == "verifying"
    until(lambda: all(item["state"] == "ready" for item in items(client, code).values()))
    for item in items(client, code).values():
        assert item["sha256"] == hashlib.sha256(CONTENT).hexdigest()
        assert client.get(f"/v1/codes/{code}/items/{item['id']}").content == CONTENT


def test_a_share_that_ends_while_nobody_listens_leaves_nothing(stack: StartedStack, client: httpx.Client) -> None:
    share = shared(client, "whole", "half", "never")
    whole, half = (begun(client, item["upload"]) for item in share["items"][:2])
    file_id = persist(lambda: patch(client, whole, 0), 204).headers["Waystation-File"]
    assert patch(client, half, 0, 1000).status_code == 204
    with down(stack, "upload"):
        ended = client.delete(f"/v1/shares/{share['id']}", headers={"Share-Key": share["key"]})
        assert ended.status_code == 204
    with closing(Traces(stack)) as traces, closing(Sweeps(traces.broker_url)) as sweeps:
        nothing: list[Any] = []
        sweeps.until(
            lambda: traces.ask("share", "select id from item where share_id = %s", share["id"]) == nothing,
            "share.expire_shares",
        )
        assert traces.ask("upload", "select id from file where id = %s", file_id) == nothing
        assert persist(lambda: client.head(half, headers=HEADERS), 404).status_code == 404
