"""The address of the client: what a service believes, and how limits count it."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from common.addresses import canonical, limit_key, parse_networks
from common.http.edge import Edge

TOKEN = "0123456789abcdef" * 4


def believed(gateway_token: str, *headers: tuple[str, str], peer: str = "127.0.0.1") -> tuple[str, str]:
    """The address and the scheme of a request with these headers, as a service sees them."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        return

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "scheme": "http",
        "client": (peer, 1),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
    }

    async def call() -> None:
        await Edge(app, gateway_token=gateway_token)(scope, receive, send)

    asyncio.run(call())
    return seen[0]["client"][0], seen[0]["scheme"]


CLAIMS = (("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-Proto", "https"))


def test_the_gateway_is_believed() -> None:
    assert believed(TOKEN, *CLAIMS, ("X-Gateway-Token", TOKEN)) == ("198.51.100.1", "https")
    assert believed(TOKEN, ("X-Gateway-Token", TOKEN)) == ("127.0.0.1", "http")
    assert believed(TOKEN, ("X-Forwarded-For", "no address"), ("X-Gateway-Token", TOKEN)) == ("127.0.0.1", "http")


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.1", "172.18.0.2", "192.168.1.50", "fd00::1", "::1"])
@pytest.mark.parametrize("given", [None, "", "wrong", "\xe9", TOKEN[:-1], f"{TOKEN}, {TOKEN}"])
@pytest.mark.parametrize("token", [TOKEN, ""])
def test_nobody_else_is_believed(token: str, given: str | None, peer: str) -> None:
    headers = [*CLAIMS] if given is None else [*CLAIMS, ("X-Gateway-Token", given)]
    assert believed(token, *headers, peer=peer) == (peer, "http")


@pytest.mark.parametrize(
    ("address", "expected"),
    [("198.51.100.1", "198.51.100.1"), ("::ffff:198.51.100.1", "198.51.100.1"), ("2001:DB8::1", "2001:db8::1")],
)
def test_an_address_has_one_form(address: str, expected: str) -> None:
    assert canonical(address, "127.0.0.1") == expected


def test_an_ipv6_client_is_counted_by_its_network() -> None:
    assert limit_key("2001:db8:1:2:3::1") == limit_key("2001:db8:1:2:ffff::9") == "2001:db8:1:2::"
    assert limit_key("2001:db8:1:3::1") != limit_key("2001:db8:1:2::1")
    assert limit_key("198.51.100.1") == "198.51.100.1"


def test_an_invalid_network_is_refused() -> None:
    with pytest.raises(ValueError, match="300"):
        parse_networks("300.0.0.0/8")
