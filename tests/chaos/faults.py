"""Kills and stops processes of the running stack by a schedule that the seed gives.

The stack's own state says which processes there are (`deploy/local/state.py`), so this knows none of them by name.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from deploy.local.processes import started
from deploy.local.stack import RunningStack

CHILD_SHARE = 0.25
"""How often a process that the program has started is killed instead of the program itself."""
STOP_SHARE = 0.12
"""How often a program is stopped for a while before the next kill."""
STOP_SECONDS = 5.0
MISSING_SECONDS = 60.0
"""A program that does not run again after this long has not been restarted."""
ROUND = 10
"""After so many kills the system may recover, and must."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One step of the schedule."""

    pause: float
    """Seconds since the step before."""
    program: str
    child: float | None
    """The position of the victim among its children, from 0 to 1; None: the program itself."""
    is_stop: bool = False


def schedule(seed: int, programs: list[str], kills: int) -> Iterator[Fault]:
    """The same faults for the same seed and programs."""
    chance = random.Random(seed)
    for _ in range(kills):
        if chance.random() < STOP_SHARE:
            yield Fault(chance.uniform(0.2, 1), chance.choice(programs), None, is_stop=True)
        child = chance.random() if chance.random() < CHILD_SHARE else None
        # Some come at once, while others are still being restarted.
        pause = chance.uniform(0, 0.3) if chance.random() < 0.2 else chance.uniform(0.8, 2)
        yield Fault(pause, chance.choice(programs), child)


@dataclass(slots=True)
class Faults:
    """The faults that were made."""

    killed: Counter[str] = field(default_factory=Counter[str])
    stopped: Counter[str] = field(default_factory=Counter[str])
    not_restarted: list[str] = field(default_factory=list[str])
    _resuming: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def inflict(
        self, stack: RunningStack, faults: Iterator[Fault], recovered: Callable[[], Awaitable[None]]
    ) -> None:
        """Follow a schedule. `recovered` returns when the system works again; it is asked after each round."""
        for number, fault in enumerate(faults, 1):
            await asyncio.sleep(fault.pause)
            await self._inflict(stack, fault)
            if number % ROUND == 0:
                await asyncio.gather(*self._resuming)
                await recovered()
        await asyncio.gather(*self._resuming)

    async def _inflict(self, stack: RunningStack, fault: Fault) -> None:
        until = time.monotonic() + MISSING_SECONDS
        while time.monotonic() < until:
            if process := _running(stack, fault.program):
                with suppress(psutil.NoSuchProcess):
                    if fault.is_stop:
                        self._stop(fault.program, process)
                    else:
                        self._kill(fault, process)
                    return
            await asyncio.sleep(0.05)
        self.not_restarted.append(fault.program)

    def _kill(self, fault: Fault, process: psutil.Process) -> None:
        children = sorted(process.children(recursive=True), key=lambda child: child.pid)
        if fault.child is not None and children:
            children[int(fault.child * len(children))].send_signal(signal.SIGKILL)
            self.killed[f"{fault.program}, a child"] += 1
        else:
            process.send_signal(signal.SIGKILL)
            self.killed[fault.program] += 1

    def _stop(self, program: str, process: psutil.Process) -> None:
        """Stop a program with its children, and let it go on later."""
        held = [process, *process.children(recursive=True)]
        for each in held:
            with suppress(psutil.NoSuchProcess):
                each.suspend()
        self.stopped[program] += 1
        task = asyncio.create_task(_resume(held))
        self._resuming.add(task)
        task.add_done_callback(self._resuming.discard)


async def _resume(held: list[psutil.Process]) -> None:
    try:
        await asyncio.sleep(STOP_SECONDS)
    finally:
        for each in held:
            with suppress(psutil.NoSuchProcess):
                each.resume()


def _running(stack: RunningStack, program: str) -> psutil.Process | None:
    found = stack.process(program)
    if found is None or started(found.pid) != found.mark:
        return None
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(found.pid)
    return None


def kill_supervisor(stack: RunningStack) -> None:
    os.kill(stack.state().supervisor, signal.SIGKILL)
