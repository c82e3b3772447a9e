"""Valkey that Sentinel watches: a primary, a replica, and an address that leads to the one that is primary."""

import asyncio
import secrets
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from deploy.local import binaries, ports
from deploy.local.ports import LOOPBACK
from tests.relays import pass_both_on, relaying

NAME = "place"
WATCHING = f"""\
bind {LOOPBACK}
port {{port}}
sentinel monitor {NAME} {LOOPBACK} {{primary}} 1
sentinel auth-pass {NAME} {{password}}
sentinel down-after-milliseconds {NAME} 500
sentinel failover-timeout {NAME} 5000
"""
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Watched:
    """The servers by their ports."""

    url: str
    """The address that leads to the primary, as that of a proxy does which looks for it."""
    sentinel: Any
    servers: dict[int, "subprocess.Popen[bytes]"]

    async def lose_primary(self) -> None:
        """Kill it, and wait until Sentinel has made the replica primary."""
        lost = await primary_of(self.sentinel)
        self.servers[lost].kill()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await primary_of(self.sentinel) == lost:
                await asyncio.sleep(0.05)


async def primary_of(sentinel: Any) -> int:
    """The port of the server that is primary now."""
    return int((await sentinel.sentinel_get_master_addr_by_name(NAME))[1])


@asynccontextmanager
async def watched_valkey(folder: Path) -> AsyncGenerator[Watched]:
    """They run for the block, with their data below `folder`."""
    primary, replica, sentinel = ports.choose(3)
    password = secrets.token_hex(16)
    secured = ["--bind", LOOPBACK, "--requirepass", password, "--masterauth", password, "--save", ""]
    file = folder / "sentinel.conf"
    file.write_text(WATCHING.format(port=sentinel, primary=primary, password=password), encoding="ascii")
    async with AsyncExitStack() as opened:

        async def start(port: int, *options: str) -> "tuple[subprocess.Popen[bytes], Any]":
            server = _started(folder / str(port), options)
            opened.callback(_end, server)
            client: Any = Redis(host=LOOPBACK, port=port, password=None if port == sentinel else password)
            opened.push_async_callback(client.aclose)
            await _until(client.ping)
            return server, client

        first, _ = await start(primary, "--port", str(primary), *secured)
        of_primary = ["--replicaof", f"{LOOPBACK} {primary}"]
        second, follower = await start(replica, "--port", str(replica), *secured, *of_primary)
        await _until(lambda: _linked(follower))
        _, asked = await start(sentinel, str(file), "--sentinel")
        await _until(lambda: _knows_replica(asked))

        async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await pass_both_on(reader, writer, await primary_of(asked))

        port = await opened.enter_async_context(relaying(lead))
        yield Watched(f"redis://:{password}@{LOOPBACK}:{port}/0", asked, {primary: first, replica: second})


def _started(folder: Path, options: Sequence[str]) -> "subprocess.Popen[bytes]":
    folder.mkdir()
    with (folder / "log").open("wb") as log:
        return subprocess.Popen([str(binaries.valkey_server()), *options], cwd=folder, stdout=log, stderr=log)


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.kill()
    server.wait()


async def _linked(client: Any) -> bool:
    return (await client.info("replication"))["master_link_status"] == "up"


async def _knows_replica(client: Any) -> bool:
    return bool(await client.sentinel_slaves(NAME))


async def _until(ask: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(RedisError):
                if await ask():
                    return
            await asyncio.sleep(0.05)
