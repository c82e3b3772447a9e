"""A running share service for the tests of each module, a client of it, and the context of its worker."""

from collections.abc import AsyncGenerator, Iterator

import httpx
import pytest

from share_service.context import Context
from tests.conftest import MakeDatabase
from tests.integration.share.running_share import ShareService, Start, running_share_service


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, valkey_url: str) -> Iterator[ShareService]:
    with running_share_service(make_database, valkey_url) as service:
        yield service


@pytest.fixture
def client(service: ShareService) -> httpx.Client:
    """A client with an address of its own."""
    return service.client()


@pytest.fixture
async def worker(service: ShareService) -> AsyncGenerator[Context]:
    async with service.worker() as context:
        yield context


@pytest.fixture
def start(make_database: MakeDatabase, valkey_url: str) -> Start:
    return Start(make_database, valkey_url)
