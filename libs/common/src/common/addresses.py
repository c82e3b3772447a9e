"""The addresses of clients: their usual form, and grouping them for limits."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Parse a comma-separated list of networks in CIDR notation. Raises `ValueError`."""
    return tuple(ip_network(item.strip()) for item in text.split(",") if item.strip())


@lru_cache(maxsize=4096)
def canonical(address: str, fallback: str) -> str:
    """An address in its usual form, IPv4 addresses inside IPv6 included; `fallback` if it is no address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return fallback
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


def limit_key(address: str) -> str:
    """The key under which limits count a client: its IPv4 address, or the /64 network of its IPv6 address.

    A whole /64 network usually belongs to one client.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def site_key(address: str) -> str | None:
    """The /48 network of an IPv6 address, which one site may have: it holds 65,536 of the keys that limits count.

    None for any other address.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 48), strict=False))
    return None
