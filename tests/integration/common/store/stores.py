"""The stores that the conformance suite runs against, and content for them."""

import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

from common.store import ObjectStore
from common.store.folder import FolderStore
from common.store.s3 import S3Store
from tests.conftest import Engines
from tests.engines import StoreAddress

EXTERNAL = "WAYSTATION_TEST_S3_ENDPOINT"
S3_KINDS = ["engine", *(["external"] if EXTERNAL in os.environ else [])]
"""The tests' own engine and, when `WAYSTATION_TEST_S3_ENDPOINT` (with `…_ACCESS_KEY`, `…_SECRET_KEY`) names one, that
server too: a real MinIO, its successor, or any other."""
KINDS = ["folder", *S3_KINDS]


def address_of(kind: str, engines: Engines) -> StoreAddress:
    if kind == "engine":
        return engines.store
    prefix = "WAYSTATION_TEST_S3"
    return StoreAddress(os.environ[EXTERNAL], os.environ[f"{prefix}_ACCESS_KEY"], os.environ[f"{prefix}_SECRET_KEY"])


def s3_store(address: StoreAddress) -> S3Store:
    """A store with a bucket of its own, not yet made."""
    return S3Store(
        address.endpoint,
        region="us-east-1",
        bucket=f"conformance-{secrets.token_hex(6)}",
        access_key=address.access_key,
        secret_key=address.secret_key,
    )


def new_store(kind: str, engines: Engines, folder: Path) -> ObjectStore:
    """A store of this kind, not yet open."""
    return FolderStore(folder / "store") if kind == "folder" else s3_store(address_of(kind, engines))


async def blocks(content: bytes, size: int = 65536) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def content_of(store: ObjectStore, key: str) -> bytes:
    return b"".join([block async for block in store.read(key)])


class Source:
    """A source that is certain of `certain` bytes from its start."""

    def __init__(self, content: bytes, certain: int) -> None:
        self._content, self._certain = content, certain

    def certain(self) -> int:
        return max(0, self._certain)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in blocks(self._content, 100_000):
            self._certain -= len(block)
            yield block


async def no_multipart(upload_id: str) -> None:
    """Keep no record."""
