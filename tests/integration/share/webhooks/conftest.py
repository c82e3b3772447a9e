"""A share service whose worker calls a receiver of the test."""

from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace

import httpx
import pytest

from share_service.context import Context
from tests.conftest import MakeDatabase
from tests.integration.share.asking import change
from tests.integration.share.running_share import Account, ShareService, running_share_service
from tests.integration.share.webhooks.receiving import Receiver, receiving


@pytest.fixture(scope="module")
def service(make_database: MakeDatabase, valkey_url: str) -> Iterator[ShareService]:
    with running_share_service(make_database, valkey_url, webhook_allowed_networks="127.0.0.1/32") as service:
        yield service


@pytest.fixture
async def guarded(service: ShareService) -> AsyncGenerator[Context]:
    """The context of a worker as it is."""
    async with service.worker() as context:
        yield context


@pytest.fixture
def worker(guarded: Context) -> Context:
    """The context of a worker whose webhooks of accounts reach the receivers of these tests."""
    return replace(guarded, outbound=guarded.outbound_of_place)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def owner(service: ShareService) -> Account:
    return service.sign_up()


@pytest.fixture
def client(service: ShareService, owner: Account) -> httpx.Client:
    return service.client(account=owner)


@pytest.fixture(autouse=True)
def none_left(service: ShareService) -> Iterator[None]:
    yield
    change(service, "delete from webhook")
