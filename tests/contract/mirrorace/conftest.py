"""The two hosts that MirrorAce's clients call: the one that all dialects share, and the one of this dialect.

The limits are narrow, so that clients send a file of a few MiB in chunks.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import IPv4Address

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.contract.conftest import client_of
from tests.contract.mirrorace.wire import Sender

NewSender = Callable[[], Sender]
HOSTS = "127.0.0.1", "mirrorace.example.org"

_addresses = itertools.count(int(IPv4Address("198.19.0.1")))


@pytest.fixture(scope="package", params=HOSTS, ids=["shared host", "own host"])
def new_sender(narrow_stack: StartedStack, request: pytest.FixtureRequest) -> Iterator[NewSender]:
    """A function that returns an account with an API key, whose client calls one of the two hosts."""
    port = narrow_stack.ports["gateway"]
    with ExitStack() as opened:

        def make() -> Sender:
            address = {"X-Forwarded-For": str(IPv4Address(next(_addresses)))}
            shared = opened.enter_context(client_of(narrow_stack, **address))
            headers = {**address, "Host": f"{request.param}:{port}"}
            client = opened.enter_context(httpx.Client(base_url=narrow_stack.url, timeout=60, headers=headers))
            return Sender.register(shared, client)

        yield make


@pytest.fixture
def sender(new_sender: NewSender) -> Sender:
    return new_sender()
