"""The two systems that contract tests call through their gateways: an ordinary one, and one with narrow limits."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from ipaddress import IPv4Address

import httpx
import pytest

from deploy.local.stack import RunningStack, StartedStack, start
from tests.conftest import running_stack
from tests.contract.traces import Traces
from tests.sweeps import Sweeps

Visitor = Callable[[], httpx.Client]

NARROW = {
    "UPLOAD_SIZE": str(1024 * 1024),
    "UPLOAD_COUNT": "3",
    "ERROR_COUNT": "3",
    "NUMERIC_CODES": "1",
    "EXPIRE_STYLES": "day,hour,count",
    "ALLOWED_FILE_TYPES": "txt,.ZIP",
    "ACCOUNT_CALLS_PER_MINUTE": "5",
    "LOGIN_FAILURE_ADDRESS_COUNT": "6",
    "LOGIN_FAILURE_ACCOUNT_COUNT": "4",
    "FILE_UPLOADER_UPLOADS_PER_MINUTE": "2",
    "FILE_UPLOADER_SIZE": str(1024 * 1024),
    "MIRRORACE_MAX_CHUNK_SIZE": str(2 * 1024 * 1024 - 1),
    "MIRRORACE_MAX_FILE_SIZE": str(8 * 1024 * 1024),
    "MIRRORACE_MAX_MIRRORS": "3",
    "PUBLIC_ROOMS": "5",
    "FETCH_ALLOWED_NETWORKS": "127.0.0.1/32",
    "GATEWAY_TRUSTED_PROXIES": "127.0.0.1/32",
}
"""Limits that a test reaches at once. The gateway also trusts the client addresses that tests claim."""


def client_of(stack: RunningStack, **headers: str) -> httpx.Client:
    return httpx.Client(base_url=stack.url, timeout=60, headers=headers)


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedStack]:
    with running_stack(tmp_path_factory) as stack:
        yield stack


@pytest.fixture(scope="package")
def client(stack: StartedStack) -> Iterator[httpx.Client]:
    with client_of(stack) as client:
        yield client


@pytest.fixture(scope="package")
def traces(stack: StartedStack) -> Iterator[Traces]:
    with closing(Traces(stack)) as traces:
        yield traces


@pytest.fixture(scope="package")
def sweeps(traces: Traces) -> Iterator[Sweeps]:
    with closing(Sweeps(traces.broker_url)) as sweeps:
        yield sweeps


@pytest.fixture(scope="package")
def narrow_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedStack]:
    with start(tmp_path_factory.mktemp("narrow"), environment=NARROW) as stack:
        yield stack


@pytest.fixture(scope="package")
def narrow_traces(narrow_stack: StartedStack) -> Iterator[Traces]:
    with closing(Traces(narrow_stack)) as traces:
        yield traces


@pytest.fixture(scope="package")
def visitor(narrow_stack: StartedStack) -> Iterator[Visitor]:
    """A function that returns a client with an address of its own, for the system with narrow limits."""
    numbers = itertools.count(int(IPv4Address("198.18.0.1")))
    with ExitStack() as opened:

        def make() -> httpx.Client:
            address = str(IPv4Address(next(numbers)))
            return opened.enter_context(client_of(narrow_stack, **{"X-Forwarded-For": address}))

        yield make
