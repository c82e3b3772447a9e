"""Mirrors of the running system: defined by its administrator, and watched until they have what they should."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import httpx

from deploy.local import credentials
from deploy.local.credentials import ADMIN_PASSWORD
from deploy.local.stack import StartedStack
from tests.e2e.faults import PATIENCE, persist
from tests.integration.upload.mirrors.mirror_servers import MirrorServer


def administrator(stack: StartedStack, http: httpx.Client) -> dict[str, str]:
    """The headers by which its first administrator is known."""
    asked = {"name": "admin", "password": credentials.load(stack.folder)[ADMIN_PASSWORD]}
    answer = persist(lambda: http.post("/v1/auth/login", json=asked), 200)
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@contextmanager
def defined(
    http: httpx.Client, headers: dict[str, str], name: str, server: MirrorServer, **values: Any
) -> Generator[int]:
    """A mirror, by its id, for as long as the block."""
    asked = {"name": name, "kind": server.kind, "options": server.options, **values}
    answer = http.post("/v1/mirrors", json=asked, headers=headers)
    assert answer.status_code == 201, answer.text
    mirror_id = answer.json()["id"]
    try:
        yield mirror_id
    finally:
        # What is left there goes with its server.
        persist(lambda: http.delete(f"/v1/mirrors/{mirror_id}?forget=true", headers=headers), 204)


def eventually(true: Callable[[], object], patience: float = PATIENCE) -> None:
    until = time.monotonic() + patience
    while not true():
        assert time.monotonic() < until
        time.sleep(0.2)
