"""Valkey: limits, caches and the task queue. It logs every write, and flushes the log to disk once a second."""

import signal
from pathlib import Path

from deploy.local import binaries, probes
from deploy.local.files import write_private
from deploy.local.ports import LOOPBACK
from deploy.local.program import Program

CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir .
appendonly yes
appendfsync everysec
# after a crash the log may end in the middle of a command; it is cut there and loaded
aof-load-truncated yes
save ""
# queues and limits are not a cache: when memory is full, writes are refused and nothing is forgotten. Messages of rooms
# are refused when three quarters of it are used
maxmemory 256mb
maxmemory-policy noeviction
# a message of a room that is deleted leaves no text behind, as it would beside others in one node
stream-node-max-entries 1
tcp-backlog 128
loglevel warning
"""
NOISE = r"# WARNING Memory overcommit|oO0OoO0OoO0Oo|Valkey version|shutdown|Valkey is now ready"


def program(data: Path, port: int, password: str) -> Program:
    folder = data / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    # The password is in a file, because everybody on the machine can read a command line.
    write_private(folder / "valkey.conf", CONFIGURATION.format(host=LOOPBACK, port=port, password=password))
    return Program(
        name="valkey",
        command=[str(binaries.valkey_server()), "valkey.conf"],
        folder=folder,
        port=port,
        ready=probes.valkey(port, password),
        orphan_signal=signal.SIGTERM,
        noise=NOISE,
    )


def url(port: int, password: str) -> str:
    return f"redis://:{password}@{LOOPBACK}:{port}/0"
