"""The addresses that a user-supplied URL may make this system connect to.

The rule follows the IANA registries of special-purpose addresses and is written out here, because
`ipaddress.is_global` differs between versions of Python. IPv6 addresses outside global unicast are refused.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from common.addresses import Network

Address = IPv4Address | IPv6Address

_SPECIAL_4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host: Linux connects 0.0.0.0 to itself
        "10.0.0.0/8",
        "100.64.0.0/10",  # behind a carrier's NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host, which tells a virtual machine its secrets
        "169.254.0.0/16",  # link-local, with the metadata services of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, withdrawn
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_SPECIAL_6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo (two IPv4 addresses inside), ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: a packet goes to the IPv4 address inside
        "3ffe::/16",  # a test network of the past
        "3fff::/20",  # documentation
    )
)
# Translators (RFC 6052) may use any prefix; only this one is known to everybody. The prefix for local use (RFC 8215) is
# not global.
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Whether `address`, and any IPv4 address embedded in it, belongs to a single host in the public internet.

    Addresses of tunnels that embed an IPv4 address (6to4, Teredo, IPv4-compatible) and addresses with a scope are never
    public.
    """
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_4)
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped:
        return is_public(address.ipv4_mapped)
    if address in _NAT64:
        return is_public(_last_32_bits(address))
    if address not in _GLOBAL_UNICAST or any(address in network for network in _SPECIAL_6):
        return False
    return not _is_isatap(address) or is_public(_last_32_bits(address))


def may_connect(address: Address, allowed: tuple[Network, ...]) -> bool:
    """Whether `address` is public or in an `allowed` network; an IPv4 network also allows its IPv4-mapped addresses.

    No network allows an address with a scope, or an IPv4 address hidden in any other way.
    """
    if is_public(address):
        return True
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        address = address.ipv4_mapped or address
    return any(address in network for network in allowed)


def _is_isatap(address: IPv6Address) -> bool:
    """Whether the interface identifier is 0000:5efe or 0200:5efe and an IPv4 address (RFC 5214, section 6.1)."""
    return (int(address) >> 32) & 0xFCFF_FFFF == 0x0000_5EFE


def _last_32_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)
