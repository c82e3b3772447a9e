"""The two hosts that Mirage's clients call: the one that all dialects share, and the one of this dialect."""

from collections.abc import Iterator

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.mirage.wire import User


@pytest.fixture(scope="package", params=["127.0.0.1", "mirage.example.org"], ids=["shared host", "own host"])
def mirage(stack: StartedStack, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client on either host."""
    port = stack.ports["gateway"]
    with client_of(stack, Host=f"{request.param}:{port}") as client:
        yield client


@pytest.fixture(scope="module")
def user(mirage: httpx.Client) -> User:
    """A user who is logged in for all tests of a module, each of which makes rooms of its own."""
    return User(mirage)


@pytest.fixture(scope="module")
def other(mirage: httpx.Client) -> User:
    """A second user like that."""
    return User(mirage)


@pytest.fixture
def new_user(mirage: httpx.Client) -> User:
    """A user whom no other test has."""
    return User(mirage)
