"""Free ports of 127.0.0.1 for what listens inside."""

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST = 15000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def choose(count: int) -> list[int]:
    """`count` different ports that nothing listens on now.

    They lie below the range that the system gives to outgoing connections: otherwise, while an engine is restarting,
    a connection could take its port away, even one that tries to reach that very engine.
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
    """Whether a program could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as attempt:
        # what servers set, so that connections which have only just ended do not count
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
