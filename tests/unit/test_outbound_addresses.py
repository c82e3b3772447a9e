from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.addresses import parse_networks
from common.outbound.addresses import is_public, may_connect

PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
    *("128.0.0.0", "168.63.129.15", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255"),
    *("198.17.255.255", "198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255"),
    *("2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888", "2001:200::1", "2003::1", "3ffd::1"),
    *("::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2a00:1450::5efe:8.8.8.8", "2a00:1450::200:5efe:8.8.8.8"),
]
REFUSED = [
    *("0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.100.100.200", "100.127.255.255"),
    *("127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.0.0", "169.254.169.254", "172.16.0.0"),
    *("172.31.255.255", "192.0.0.0", "192.0.0.9", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.0"),
    *("192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.0", "224.0.0.1"),
    *("239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255"),
    *("::", "::1", "fc00::", "fd00:ec2::254", "fdff:ffff::1", "fe80::", "fe80::1", "febf::1", "fec0::1", "feff::1"),
    *("ff00::", "ff02::1", "ffff::", "100::1", "200::1", "4000::1", "5f00::1", "1fff:ffff::1"),
    *("2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff::1", "2001:db8::1", "3ffe::1", "3fff::1"),
    # IPv4-mapped addresses in both spellings.
    *("::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "::ffff:0.0.0.0"),
    # IPv4-compatible addresses, and those of the stateless translators of RFC 2765.
    *("::127.0.0.1", "::10.0.0.1", "::8.8.8.8", "::ffff:0:127.0.0.1"),
    # NAT64: the well-known prefix, and the prefix for local use.
    *("64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::127.0.0.1", "64:ff9b:1:7f00:0:100::", "64:ff9b::1:0:0"),
    # 6to4, and Teredo, in which the bits of the client's address are inverted.
    *("2002:7f00:1::1", "2002:a9fe:a9fe::", "2002:808:808::1"),
    *("2001:0:7f00:1:0:0:f7f7:f7f7", "2001:0:808:808:0:0:80ff:fffe"),
    *(
        "2a00:1450::5efe:127.0.0.1",
        "2a00:1450::200:5efe:10.0.0.1",
        "2a00:1450::300:5efe:192.168.0.1",
        "fe80::5efe:8.8.8.8",
    ),
    *("fe80::1%eth0", "fe80::1%1", "2606:4700:4700::1111%eth0", "::ffff:8.8.8.8%1"),
]
PRIVATE_NETWORKS = [
    IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
    )
]


def within(prefix: str, shift: int = 0) -> Callable[[IPv4Address], IPv6Address]:
    return lambda inside: IPv6Address(int(IPv6Address(prefix)) | int(inside) << shift)


def teredo_client(inside: IPv4Address) -> IPv6Address:
    return IPv6Address(int(IPv6Address("2001:0:808:808::")) | int(inside) ^ 0xFFFF_FFFF)


HIDDEN = {
    "IPv4-mapped": within("::ffff:0:0"),
    "IPv4-compatible": within("::"),
    "NAT64": within("64:ff9b::"),
    "local NAT64": within("64:ff9b:1::"),
    "6to4": within("2002::", 80),
    "Teredo server": within("2001::f7f7:f7f7", 64),
    "Teredo client": teredo_client,
    "ISATAP": within("2a00:1450:4001:81b:0:5efe::"),
    "ISATAP, universal": within("2a00:1450:4001:81b:200:5efe::"),
}


@st.composite
def private_addresses(draw: st.DrawFn) -> IPv4Address | IPv6Address:
    network = draw(st.sampled_from(PRIVATE_NETWORKS))
    return draw(st.ip_addresses(v=4, network=network))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_fetched_from(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", REFUSED)
def test_any_other_address_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not may_connect(ip_address(address), ())


@pytest.mark.parametrize("form", HIDDEN)
@given(inside=private_addresses())
def test_a_private_address_is_refused_in_every_embedded_form(form: str, inside: IPv4Address) -> None:
    hidden = HIDDEN[form](inside)
    assert not is_public(hidden)
    assert may_connect(hidden, parse_networks(f"{inside}/32")) == (form == "IPv4-mapped")


@given(address=st.ip_addresses(v=6))
def test_outside_global_unicast_only_addresses_that_embed_a_public_ipv4_address_are_public(
    address: IPv6Address,
) -> None:
    if not 0x2000 <= int(address) >> 112 < 0x4000:
        carried = address.ipv4_mapped or (
            IPv4Address(address.packed[12:]) if int(address) >> 32 == 0x64FF9B << 64 else None
        )
        assert is_public(address) == (carried is not None and is_public(carried))


def test_only_allowed_networks_are_exempt() -> None:
    allowed = parse_networks("10.1.0.0/16, fd00:1::/32")
    may = ["10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "fd00:1::5", "8.8.8.8", "2606:4700:4700::1111"]
    may_not = ["10.0.255.255", "10.2.0.0", "::ffff:10.2.0.0", "fd00:2::1", "127.0.0.1", "::1"]
    hidden = ["64:ff9b::10.1.0.1", "2002:a01:1::1", "::10.1.0.1", "2a00:1450::5efe:10.1.0.1", "fd00:1::5%eth0"]
    assert [address for address in may if not may_connect(ip_address(address), allowed)] == []
    assert [address for address in may_not + hidden if may_connect(ip_address(address), allowed)] == []


def test_allowing_a_network_of_mapped_addresses_allows_no_ipv4_address() -> None:
    assert not may_connect(ip_address("10.0.0.1"), parse_networks("::ffff:0:0/96"))
    assert not may_connect(ip_address("::ffff:10.0.0.1"), parse_networks("::ffff:0:0/96"))
