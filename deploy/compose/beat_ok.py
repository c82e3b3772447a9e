"""Health check of beat. RedBeat renews its lock in Valkey with every tick, so beat is alive while the lock exists.

It uses the standard library only, because most of its cost is its start.
"""

import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

LOCK = "redbeat::lock"


def is_held(url: str) -> bool:
    """Whether the lock is in the database that `url` names."""
    broker = urlsplit(url)
    commands = (
        f"AUTH {broker.username} {broker.password}\r\nSELECT {broker.path.strip('/')}\r\nEXISTS {LOCK}\r\nQUIT\r\n"
    )
    with socket.create_connection((broker.hostname or "", broker.port or 6379), timeout=4) as connection:
        connection.sendall(commands.encode())
        with connection.makefile("rb") as answers:
            return answers.read().split(b"\r\n")[2] == b":1"


if __name__ == "__main__":
    sys.exit(not is_held(Path(os.environ["BROKER_URL_FILE"]).read_text(encoding="utf-8").strip()))
