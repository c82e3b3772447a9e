"""Where the client for strangers' URLs refuses to go: shown by servers that count who connected to them."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager

import pytest

from common.outbound.client import AddressRefused, Outbound, RemoteUnavailable, UrlInvalid
from tests.integration.running_remote import PATIENCE, Names, Remote, answers, fetched, opened, redirects, remote

OK = answers("200 OK", "Content-Length: 2\n", b"ok")


def patient(allowed: str = "", names: Names | None = None) -> AbstractAsyncContextManager[Outbound]:
    return opened(allowed, names, PATIENCE)


@pytest.fixture
async def local() -> AsyncGenerator[Remote]:
    async with remote(OK) as server:
        yield server


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "LOCALHOST", "0.0.0.0", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]"),
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::1]"),
        *("0x7f.1", "0x7f000001", "0x7f.0.0.0x1", "127.0.0.0x1", "user:password@127.0.0.1"),
        *("１２７.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1", "ⓛocalhost"),
        *("10.0.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "[fd00:ec2::254]", "[fe80::1]", "224.0.0.1"),
    ],
)
async def test_no_way_to_write_a_private_address_reaches_it(local: Remote, host: str) -> None:
    async with patient() as outbound:
        with pytest.raises(AddressRefused) as refused:
            await fetched(outbound, local.url(host=host))
    assert refused.value.code == "address_refused"
    assert local.connections == 0


@pytest.mark.parametrize(
    "host", ["2130706433", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "127.0.0.01", "127.0.0.1.", "127..0.0.1"]
)
async def test_a_number_that_is_no_address_in_its_usual_form_is_no_host(local: Remote, host: str) -> None:
    async with patient() as outbound:
        with pytest.raises((UrlInvalid, AddressRefused)):
            await fetched(outbound, local.url(host=host))
    assert local.connections == 0


@pytest.mark.parametrize("host", ["[fe80::1%25eth0]", "[::1%25lo]", "%31%32%37.0.0.1", "a b", "a\\@127.0.0.1"])
async def test_a_host_with_a_scope_or_an_escape_is_no_host(local: Remote, host: str) -> None:
    async with patient("0.0.0.0/0,::/0") as outbound:
        with pytest.raises(UrlInvalid):
            await fetched(outbound, local.url(host=host))
    assert local.connections == 0


async def test_an_allowed_network_is_reached_also_by_its_mapped_form(local: Remote) -> None:
    async with patient("127.0.0.0/8") as outbound:
        assert await fetched(outbound, local.url()) == b"ok"
        assert await fetched(outbound, local.url(host="[::ffff:127.0.0.1]")) == b"ok"
        with pytest.raises(AddressRefused):
            await fetched(outbound, local.url(host="[::1]"))


async def test_a_name_for_a_private_address_is_refused(local: Remote) -> None:
    async with patient(names=Names(files_example=[["127.0.0.1"]])) as outbound:
        with pytest.raises(AddressRefused):
            await fetched(outbound, local.url(host="files.example"))
    assert local.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [
        *(["127.0.0.1", "127.0.0.2"], ["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "::ffff:127.0.0.2"]),
        *(["127.0.0.1", "fe80::1%lo"], ["127.0.0.1", "127.2"]),
    ],
)
async def test_a_name_is_refused_when_one_of_its_addresses_is(local: Remote, addresses: list[str]) -> None:
    async with patient("127.0.0.1/32", Names(files_example=[addresses])) as outbound:
        with pytest.raises(AddressRefused):
            await fetched(outbound, local.url(host="files.example"))
    assert local.connections == 0


async def test_the_address_that_was_checked_is_the_one_connected_to(local: Remote) -> None:
    names = Names(files_example=[["127.0.0.1"], ["127.0.0.2"]])
    async with remote(OK, host="127.0.0.2", port=local.port) as hidden, patient("127.0.0.1/32", names) as outbound:
        assert await fetched(outbound, local.url(host="files.example")) == b"ok"
        assert names.asked == ["files.example"]
        with pytest.raises(AddressRefused):
            await fetched(outbound, local.url(host="files.example"))
    assert (local.connections, hidden.connections) == (1, 0)


async def test_a_name_that_turns_private_between_redirects_is_refused() -> None:
    names = Names(files_example=[["127.0.0.1"], ["127.0.0.2"]])
    async with (
        remote(redirects("/again")) as first,
        remote(OK, host="127.0.0.2", port=first.port) as hidden,
        patient("127.0.0.1/32", names) as outbound,
    ):
        with pytest.raises(AddressRefused):
            await fetched(outbound, first.url(host="files.example"))
    assert (first.connections, hidden.connections) == (1, 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "0x7f.1", "user:password@127.0.0.1"])
async def test_a_redirect_to_a_private_address_is_refused(local: Remote, host: str) -> None:
    there = redirects(local.url(host=host))
    async with remote(there, host="127.0.0.2") as first, patient("127.0.0.2/32") as outbound:
        with pytest.raises(AddressRefused):
            await fetched(outbound, first.url())
    assert (first.connections, local.connections) == (1, 0)


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1:6379/_INFO",
        "data:,x",
        "javascript:1",
        "http://:80/",
    ],
)
async def test_a_redirect_to_another_scheme_or_to_no_host_is_refused(location: str) -> None:
    async with remote(redirects(location)) as first, patient("127.0.0.1/32") as outbound:
        with pytest.raises(UrlInvalid):
            await fetched(outbound, first.url())
    assert first.connections == 1


@pytest.mark.parametrize("port", [1, 22, 25, 6379])
async def test_no_port_opens_a_private_address(port: int) -> None:
    async with patient() as outbound:
        with pytest.raises(AddressRefused):
            await fetched(outbound, f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
async def test_a_proxy_in_the_environment_is_not_asked(
    local: Remote, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    async with remote(answers("200 OK", "Content-Length: 5\n", b"proxy")) as proxy:
        monkeypatch.setenv(variable, proxy.url())
        async with patient("127.0.0.1/32") as outbound:
            assert await fetched(outbound, local.url()) == b"ok"
        async with patient() as outbound:
            with pytest.raises(AddressRefused):
                await fetched(outbound, local.url())
    assert (local.connections, proxy.connections) == (1, 0)


async def test_a_name_without_an_address_is_told_from_a_refused_one() -> None:
    async with patient(names=Names(empty_example=[[]])) as outbound:
        for host in ("gone.example", "empty.example"):
            with pytest.raises(RemoteUnavailable, match="does not resolve"):
                await fetched(outbound, f"http://{host}/")


@pytest.mark.parametrize("host", ["a..example", "a" * 64 + ".example", ".example"])
async def test_what_cannot_be_a_name_is_no_host(host: str) -> None:
    async with patient() as outbound:
        with pytest.raises(UrlInvalid):
            await fetched(outbound, f"http://{host}/")
