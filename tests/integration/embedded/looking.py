"""How tests look into a running stack: its engines, its processes, what they listen on, and whether they are gone."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

import httpx
import psycopg
import redis

from deploy.local import credentials, postgres, valkey
from deploy.local.processes import started
from deploy.local.stack import RunningStack

PROGRAMS = {
    *("postgres", "valkey", "gateway"),
    *("auth", "upload", "share", "chat"),
    "worker",
}
PATIENCE_SECONDS = 120
"""A busy machine may take long; what never happens takes longer."""


def database(on: RunningStack) -> "psycopg.Connection[tuple[object, ...]]":
    password = credentials.load(on.folder)["postgres_admin"]
    return psycopg.connect(postgres.admin_url(on.ports["postgres"], password), autocommit=True)


def cache(on: RunningStack) -> redis.Redis:
    return redis.Redis.from_url(valkey.url(on.ports["valkey"], credentials.load(on.folder)["valkey"]))


def broker_url(on: RunningStack) -> str:
    """The URL of the queue of tasks."""
    url = valkey.url(on.ports["valkey"], credentials.load(on.folder)["valkey"])
    return f"{url.removesuffix('/0')}/1"


def broker(on: RunningStack) -> Any:
    return cast("Any", redis.Redis.from_url(broker_url(on)))


def sent(queue: Any, sweep: str) -> int:
    """How often the beat has sent a sweep."""
    meta = json.loads(queue.hget(f"redbeat:{sweep}", "meta") or "{}")
    return int(meta.get("total_run_count") or 0)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def descendants(pids: Iterable[int]) -> set[int]:
    """These processes and all they started."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def wait_gone(pids: Iterable[int], seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while left := [pid for pid in pids if started(pid)]:
        assert time.monotonic() < deadline, f"still there: {[Path(f'/proc/{pid}/cmdline').read_text() for pid in left]}"
        time.sleep(0.05)


def wait_healthy(url: str, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if httpx.get(f"{url}/health", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "the gateway does not answer"
        time.sleep(0.1)


def listening(on: RunningStack) -> set[tuple[str, str]]:
    """What the processes of a stack listen on: each program with an address and port, or with the path of a socket."""
    state = on.state()
    owners = dict.fromkeys(descendants([state.supervisor]), "supervisor")
    for name, process in state.processes.items():
        owners |= dict.fromkeys(descendants([process.pid]), name)
    addresses = _listening_sockets()
    return {(name, addresses[inode]) for pid, name in owners.items() for inode in _sockets(pid) if inode in addresses}


def _sockets(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    inodes: set[str] = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            inodes.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
    return inodes


def _listening_sockets() -> dict[str, str]:
    """The address of every listening socket of the machine, by its inode."""
    found: dict[str, str] = {}
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A":
                host, _, port = local.partition(":")
                found[rest[5]] = f"{_readable(host)}:{int(port, 16)}"
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        _, _, _, flags, _, _, inode, *path = line.split(maxsplit=7)
        # The kernel's __SO_ACCEPTCON.
        if int(flags, 16) & 0x10000:
            found[inode] = path[0] if path else "unnamed"
    return found


def _readable(host: str) -> str:
    """An address of `/proc/net`: words of four bytes in the machine's order, in hex."""
    words = [bytes.fromhex(host[start : start + 8]) for start in range(0, len(host), 8)]
    return str(ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)))


def may_administrate(on: RunningStack, name: str, password: str) -> bool:
    """Whether this opens the account of an administrator."""
    signed_in = httpx.post(f"{on.url}/v1/auth/login", json={"name": name, "password": password})
    if signed_in.status_code == 401:
        return False
    token = signed_in.raise_for_status().json()["token"]
    return httpx.get(f"{on.url}/v1/accounts", headers={"Authorization": f"Bearer {token}"}).status_code == 200
