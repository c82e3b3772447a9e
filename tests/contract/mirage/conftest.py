"""The two hosts that Mirage's clients call: the one that all dialects share, and the one of this dialect."""

from collections.abc import Iterator

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.mirage.wire import User


@pytest.fixture(scope="session", params=["127.0.0.1", "mirage.example.org"], ids=["shared host", "own host"])
def mirage(stack: StartedStack, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client on either host."""
    port = stack.ports["gateway"]
    with client_of(stack, Host=f"{request.param}:{port}") as client:
        yield client


@pytest.fixture
def user(mirage: httpx.Client) -> User:
    """A user who is logged in."""
    return User(mirage)


@pytest.fixture
def other(mirage: httpx.Client) -> User:
    """A second user who is logged in."""
    return User(mirage)
