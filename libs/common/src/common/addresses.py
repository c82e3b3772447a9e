"""The addresses of clients: finding them behind trusted proxies, and grouping them for limits."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Parse a comma-separated list of networks in CIDR notation. Raises `ValueError`."""
    return tuple(ip_network(item.strip()) for item in text.split(",") if item.strip())


def client_address(peer: str, forwarded_for: str | None, trusted: tuple[Network, ...]) -> str:
    """The address of the client behind `peer`.

    `X-Forwarded-For` is read from its end: every trusted proxy appended the peer it saw, so the first address that is
    not a trusted proxy is the client. The client itself may have written everything before it.
    """
    address = peer
    for claimed in reversed([item.strip() for item in (forwarded_for or "").split(",") if item.strip()]):
        if not is_trusted(address, trusted):
            break
        address = claimed
    return _canonical(address, peer)


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


def _canonical(address: str, fallback: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return fallback
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


def is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    """Whether `address` lies in one of the networks `trusted`."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in trusted)
