"""Ways to break a running system, and how long its clients wait for it to come back."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

import httpx
import psutil

from deploy.local import store
from deploy.local.stack import StartedStack

PATIENCE = 120.0
"""Seconds."""


@contextmanager
def down(stack: StartedStack, *names: str) -> Generator[None]:
    """These stay dead for the block, then the supervisor, held still meanwhile, brings them back.

    `store` is the folder of the files, which is taken away like a disk that is not mounted.
    """
    supervisor = stack.supervisor.pid
    os.kill(supervisor, signal.SIGSTOP)
    killed: dict[str, int] = {}
    try:
        for name in names:
            if name == "store":
                store.folder(stack.folder).rename(stack.folder / "unmounted")
                continue
            # The processes that serve PostgreSQL's connections outlive it for a moment.
            serving = psutil.Process(stack.pid_of(name)).children() if name == "postgres" else []
            killed[name] = stack.kill(name)
            psutil.wait_procs(serving, timeout=10)
        yield
    finally:
        if "store" in names:
            (stack.folder / "unmounted").rename(store.folder(stack.folder))
        os.kill(supervisor, signal.SIGCONT)
    for name, pid in killed.items():
        stack.wait_restarted(name, pid)


@asynccontextmanager
async def downed(stack: StartedStack, *names: str) -> AsyncGenerator[None]:
    """`down`, which blocks, beside this loop."""
    broken = down(stack, *names)
    await asyncio.to_thread(broken.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(broken.__exit__, None, None, None)


async def kill(stack: StartedStack, name: str) -> None:
    """Kill it and wait until it listens again."""
    killed = stack.kill(name)
    await asyncio.to_thread(stack.wait_restarted, name, killed)


def persist(attempt: Callable[[], httpx.Response], *expected: int) -> httpx.Response:
    """The first answer with one of these statuses. Broken connections and 503 are tried again; other answers fail."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            answer = attempt()
        except httpx.TransportError as error:
            problem = repr(error)
        else:
            if answer.status_code in expected:
                return answer
            assert answer.status_code == 503, f"{answer.status_code} {answer.text}"
            assert int(answer.headers["Retry-After"]) > 0
            problem = answer.text
        assert time.monotonic() < until, problem
        time.sleep(0.1)
