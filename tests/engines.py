"""The engines that tests run on, each of them alone: PostgreSQL, Valkey and the object store, without any service.

The embedded ones are the programs of the embedded stack under its settings, started here without a supervisor; the
kernel ends them when this process dies before it could. Their data goes with them.
"""

import asyncio
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from deploy.local import juicefs, ports, postgres, valkey
from deploy.local.identity import launch_command
from deploy.local.processes import signal_group
from deploy.local.program import Program

Result = TypeVar("Result")
Start = Callable[[], AbstractContextManager[Result]]

READY_SECONDS = 60
UNSYNCED = ("-c", "fsync=off")
"""The machine does not lose power within a test; what a killed server has written is there without it."""


class EngineFailed(Exception):
    """An engine did not start; carries what it said."""


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """An S3 server and its root credentials."""

    endpoint: str
    access_key: str
    secret_key: str
    pid: int = 0
    """The process that was started for it; 0: it runs elsewhere."""


class Engines:
    """Where the engines answer, with their administrators' credentials. Each is started when it is first asked for."""

    def __init__(
        self,
        opened: ExitStack,
        postgres: Start[str],
        valkey: Start[str],
        store: Start[StoreAddress],
    ) -> None:
        """The three start them; `opened` is told to end them."""
        self._opened, self._postgres, self._valkey, self._store = opened, postgres, valkey, store

    @cached_property
    def postgres_url(self) -> str:
        return self._opened.enter_context(self._postgres())

    @cached_property
    def valkey_url(self) -> str:
        return self._opened.enter_context(self._valkey())

    @cached_property
    def store(self) -> StoreAddress:
        return self._opened.enter_context(self._store())


@contextmanager
def running_postgres(folder: Path, *options: str, password: str | None = None) -> Generator[str]:
    """PostgreSQL with its data below `folder`, and with further `options`; yields its administrator's URL.

    `password`: that of the data that are there.
    """
    password, port = password or secrets.token_hex(16), _free_port()
    program = _finished(postgres.prepare(folder, password, synced=False))
    command = [*program.command, *postgres.arguments(port), *UNSYNCED, *options]
    with _running(replace(program, command=command, ready=postgres.ready(port))):
        yield postgres.admin_url(port, password)


@contextmanager
def running_valkey(folder: Path) -> Generator[str]:
    """Valkey with its data below `folder`; yields its URL, database 0."""
    password, port = secrets.token_hex(16), _free_port()
    with _running(valkey.program(folder, port, password)):
        yield valkey.url(port, password)


@contextmanager
def running_store(folder: Path) -> Generator[StoreAddress]:
    """The object store with its data below `folder`, without a bucket."""
    access_key, secret_key, port = secrets.token_hex(10), secrets.token_hex(20), _free_port()
    _finished(juicefs.prepare(folder / "store"))
    program = juicefs.program(folder / "store", port, access_key=access_key, secret_key=secret_key, system={})
    with _running(program) as pid:
        yield StoreAddress(f"http://{ports.LOOPBACK}:{port}", access_key, secret_key, pid)


def _free_port() -> int:
    return ports.choose(1)[0]


@contextmanager
def _running(program: Program) -> Generator[int]:
    """Keep `program` running once it is ready, and remove its folder in the end. Yields the number of its process."""
    log = program.folder.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            launch_command(program.identity, program.command, orphan_signal=program.orphan_signal),
            cwd=program.folder,
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # its own session: Ctrl-C in the terminal is for the tests, which then stop it
            start_new_session=True,
        )
    try:
        _wait_ready(program, process, log)
        yield process.pid
    finally:
        process.send_signal(program.stop_signal)
        try:
            process.wait(program.grace)
        except subprocess.TimeoutExpired:
            signal_group(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(program.folder, ignore_errors=True)


def _wait_ready(program: Program, process: "subprocess.Popen[bytes]", log: Path) -> None:
    ready, deadline = program.ready, time.monotonic() + READY_SECONDS
    assert ready
    while process.poll() is None and time.monotonic() < deadline:
        if _finished(ready()):
            return
        time.sleep(0.02)
    raise EngineFailed(f"{program.name} is not ready\n{log.read_text(errors='replace')}")


def _finished(work: Awaitable[Result]) -> Result:
    """The result of `work`, whether or not an event loop runs in this thread."""

    async def finish() -> Result:
        return await work

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, finish()).result()
