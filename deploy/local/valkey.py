"""Valkey: limits, caches and the task queue. Every write is logged, and flushed to disk once a second."""

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
# a log that ends in the middle of a command, as after a crash, is cut there and loaded
aof-load-truncated yes
save ""
# queues and limits are not a cache: a full memory refuses writes, it does not forget
maxmemory-policy noeviction
tcp-backlog 128
loglevel warning
"""
NOISE = r"# WARNING Memory overcommit|oO0OoO0OoO0Oo|Valkey version|shutdown|Valkey is now ready"


def program(data: Path, port: int, password: str) -> Program:
    folder = data / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    # A file, because a command line can be read by everybody on the machine.
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
