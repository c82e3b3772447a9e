"""Clients of FileCodeBox's administration, on the shared host and on the dialect's own."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from deploy.local import credentials
from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.filecodebox import admin_wire


@pytest.fixture(scope="module")
def password(stack: StartedStack) -> str:
    return credentials.load(stack.folder)["admin_password"]


@pytest.fixture(scope="module", params=["127.0.0.1", "filecodebox.example.org"], ids=["shared host", "own host"])
def guest(stack: StartedStack, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """A client on either host that is not signed in."""
    with client_of(stack, Host=f"{request.param}:{stack.ports['gateway']}") as client:
        yield client


@pytest.fixture(scope="module")
def admin(stack: StartedStack, guest: httpx.Client, password: str) -> Iterator[httpx.Client]:
    """The same, signed in."""
    token = admin_wire.log_in(guest, password)
    with client_of(stack, Host=guest.headers["host"], Authorization=f"Bearer {token}") as client:
        yield client


@pytest.fixture
def mark() -> str:
    return f"mark{uuid4().hex[:12]}"
