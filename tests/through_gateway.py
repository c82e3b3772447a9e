"""Requests that reach a service as if they came through the gateway, which tells the client's address."""

TOKEN = "0123456789abcdef" * 4
"""The gateway's token in services that tests start."""


def coming_from(address: str) -> dict[str, str]:
    """The headers that the gateway adds to a request of a client at `address`."""
    return {"X-Forwarded-For": address, "X-Gateway-Token": TOKEN}
