"""Free ports on 127.0.0.1 for services and engines."""

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST = 15000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def choose(count: int) -> list[int]:
    """Choose `count` different ports on which nothing listens.

    They lie below the range that the kernel gives to outgoing connections. Otherwise a connection could take the port
    of an engine while it restarts, even a connection that tries to reach this engine.
    """
    chosen: list[int] = []
    candidates = list(range(LOWEST, _lowest_ephemeral()))
    random.shuffle(candidates)
    for port in candidates:
        if len(chosen) == count:
            break
        if is_free(port):
            chosen.append(port)
    if len(chosen) < count:
        raise OSError("no free ports")
    return chosen


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a program could listen on this port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as attempt:
        # Servers set this too, so that connections which have just ended do not count.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError:
            return False
        return True


def _lowest_ephemeral() -> int:
    try:
        lowest = int(_EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        lowest = 32768
    return lowest if lowest > LOWEST + 1000 else 49152
