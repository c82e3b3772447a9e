"""Object stores for tests: one on the tests' S3 server, with a bucket of its own, or a folder."""

import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from common.store import ObjectStore
from common.store.folder import FolderStore
from common.store.s3 import S3Store
from tests.engines import Engines

Kind = Literal["s3", "folder"]


def new_store(kind: Kind, engines: Engines, folder: Path) -> ObjectStore:
    """A store that is not yet open. Tests do not wait for the disk: the machine does not lose power within one."""
    if kind == "folder":
        return FolderStore(folder / f"store-{secrets.token_hex(6)}", synced=False)
    address = engines.store
    return S3Store(
        address.endpoint,
        region="us-east-1",
        bucket=f"test-{secrets.token_hex(6)}",
        access_key=address.access_key,
        secret_key=address.secret_key,
    )


@asynccontextmanager
async def opened_store(kind: Kind, engines: Engines, folder: Path) -> AsyncGenerator[ObjectStore]:
    store = new_store(kind, engines, folder)
    await store.open()
    await store.prepare()
    yield store
    await store.close()


def key_at(path: str) -> str:
    """The key of the object at a path that the gateway is told."""
    place = path.partition("?")[0]
    name = place.rpartition("/")[2]
    return name.replace(".", "/") if "." in name else place.split("/", 2)[2]
