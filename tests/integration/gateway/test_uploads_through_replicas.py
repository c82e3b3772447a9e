"""Chunks that come through the gateway to three replicas of upload are hashed in passing: nothing is read back."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from common.store import ContentHasher
from common.store.limits import MIN_PART_SIZE
from common.store.s3 import S3Store
from deploy.local import ports, probes
from tests.conftest import Engines, MakeDatabase
from tests.integration.gateway.running_gateway import everything_at, gateway_program, running, store_at
from tests.integration.gateway.test_gateway_replicas import adapted
from tests.integration.share.running_share import served
from tests.integration.upload.running_upload import UploadService, running_upload_service
from upload_service.app import create_app
from upload_service.content import verification

REPLICAS = 3
FILES = 4


@dataclass
class Replicated:
    """The addresses of the gateway and of each replica."""

    service: UploadService
    gateway: str
    replicas: list[str]


@pytest.fixture
async def system(make_database: MakeDatabase, engines: Engines, tmp_path: Path) -> AsyncGenerator[Replicated]:
    with running_upload_service(make_database, engines, complete_wait_seconds=0) as service:
        more = [service.opened.enter_context(served(create_app(service.settings))) for _ in range(REPLICAS - 1)]
        replicas = [service.url, *more]
        [port], chosen = ports.choose(1), [urlsplit(url).port or 0 for url in replicas]
        program = gateway_program(tmp_path, port, everything_at(chosen[0]), store_at(1))
        # No other service is there for the usual question.
        ready = probes.http(port, "/v1/openapi/upload.json")
        async with running(replace(adapted(program, chosen, tmp_path), ready=ready), tmp_path):
            yield Replicated(service, f"http://127.0.0.1:{port}", replicas)


@pytest.fixture
def read_back(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the objects that were read back."""
    keys: list[str] = []
    original: Callable[[S3Store, str, ContentHasher], Awaitable[None]] = S3Store.read_back

    async def noted(store: S3Store, key: str, hasher: ContentHasher) -> None:
        keys.append(key)
        await original(store, key, hasher)

    monkeypatch.setattr(S3Store, "read_back", noted)
    return keys


def send(client: httpx.Client, addresses: list[str]) -> UUID:
    """Send a file in chunks, the next chunk to the next address. Returns the id of the upload."""
    content = secrets.token_bytes(2 * MIN_PART_SIZE + 7)
    asked: dict[str, Any] = {"file_name": "a.bin", "file_size": len(content), "chunk_size": MIN_PART_SIZE}
    asked["file_hash"] = hashlib.sha256(content).hexdigest()
    session = client.post(f"{addresses[0]}/chunk/upload/init/", json=asked).json()["detail"]["upload_id"]
    for index in range(3):
        files = {"chunk": content[index * MIN_PART_SIZE : (index + 1) * MIN_PART_SIZE]}
        address = addresses[index % len(addresses)]
        answer = client.post(f"{address}/chunk/upload/chunk/{session}/{index}", files=files)
        assert answer.status_code == 200, answer.text
    terms = {"expire_value": 1, "expire_style": "day"}
    assert client.post(f"{addresses[0]}/chunk/upload/complete/{session}", json=terms).status_code == 200
    return UUID(session)


async def test_nothing_is_read_back(system: Replicated, read_back: list[str]) -> None:
    states = "select state from upload_session where id = any(%s)"
    client = system.service.client()
    sent = [send(client, [system.gateway]) for _ in range(FILES)]
    # They are verified already.
    assert {state for (state,) in system.service.ask(states, sent)} == {"ready"}
    assert read_back == []
    # This is what it would be without the gateway's choice.
    spread = send(client, system.replicas)
    assert system.service.ask(states, [spread]) == [("assembling",)]
    await asyncio.to_thread(system.service.run, lambda context: verification.verify_upload(context, spread))
    assert len(read_back) == 1
