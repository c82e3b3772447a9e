"""The upload service that tests of growing uploads call, and what must have become of an upload."""

import asyncio
import base64
import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.integration.upload.running_upload import UploadService, running_upload_service
from tests.stores import Kind, key_at
from upload_service.content import files, verification
from upload_service.context import Context

LARGEST = 64 * 1024 * 1024


@contextmanager
def running_on(
    kind: Kind, make_database: MakeDatabase, engines: Engines, folders: pytest.TempPathFactory
) -> Generator[UploadService]:
    """The service with its files on an S3 server or in a folder."""
    changes: dict[str, Any] = {}
    if kind == "folder":
        changes = {"store": "folder", "store_folder": str(folders.mktemp("store")), "store_sync": False}
    with running_upload_service(make_database, engines, **changes) as service:
        yield service


def content_of(service: UploadService, file_id: str) -> bytes:
    """The content that a download would serve, once a worker has joined it."""
    found: list[bytes] = []

    async def read(context: Context) -> None:
        async with context.db.connection() as connection:
            cursor = await connection.execute("select id from upload_session where file_id = %s", [UUID(file_id)])
            row = await cursor.fetchone()
        assert row
        await verification.verify_upload(context, row[0])
        download = await files.open_download(context, UUID(file_id), "GET")
        found.append(b"".join([block async for block in context.store.read(key_at(download.stored_at.path))]))
        assert hashlib.sha256(found[0]).digest() == download.sha256

    service.run(read)
    return found[0]


def is_file(service: UploadService, answer: httpx.Response, content: bytes) -> None:
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert content_of(service, answer.headers["Waystation-File"]) == content


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Tus-Resumable"] == "1.0.0"


async def verify_next(context: Context) -> None:
    """Be the worker for the next upload that waits for one."""
    found = None
    async with asyncio.timeout(60):
        while not found:
            await asyncio.sleep(0.01)
            async with context.db.connection() as connection:
                cursor = await connection.execute(
                    "select id from upload_session where state = 'assembling' and claims <> '{}'"
                )
                found = await cursor.fetchone()
    await verification.verify_upload(context, found[0])


def sha256(content: bytes) -> str:
    """The value of `Repr-Digest` or `Content-Digest`."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"
