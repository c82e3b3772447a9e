"""One supervised program: it is started, and started again if it dies, until it is stopped."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from common.backoff import backoff
from common.start import UNUSABLE
from deploy.local.identity import launch_command
from deploy.local.log import Log
from deploy.local.processes import folder_mark, signal_group
from deploy.local.program import Program, Task

FIRST_PAUSE = timedelta(seconds=0.2)
LONGEST_PAUSE = timedelta(seconds=10)
"""The first and the longest pause before a program that died is started again."""
STABLE_SECONDS = 10.0
"""After a program ran this long, its earlier deaths no longer count: its next pause is the first."""
PROBE_PAUSE = 0.1
LINE_BYTES = 64 * 1024


class Child:
    """Keeps one program running."""

    def __init__(self, program: Program, data: Path, log: Log, changed: Callable[[], None]) -> None:
        """`changed` is called whenever `pid` changes."""
        self.program = program
        self.pid: int | None = None
        self.failures = 0
        self.is_unusable = False
        """It said that its settings cannot be used, and is not started again."""
        self._data, self._log, self._changed = data, log, changed
        self._stopping = False
        self._keeper: asyncio.Task[None] | None = None
        self._died = asyncio.Event()

    def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep(), name=self.program.name)

    async def wait_ready(self) -> None:
        """Wait until the program runs and its probe succeeds. The caller sets a timeout."""
        while True:
            if self.pid is not None and (self.program.ready is None or await self.program.ready()):
                return
            await asyncio.sleep(PROBE_PAUSE)

    async def wait_first_death(self) -> None:
        await self._died.wait()

    async def stop(self) -> None:
        """Stop the program with its stop signal, or by force after its grace period, and kill the rest of its group."""
        self._stopping = True
        if self._keeper is None:
            return
        pid = self.pid
        if pid is None:
            self._keeper.cancel()
        else:
            with suppress(ProcessLookupError):
                os.kill(pid, self.program.stop_signal)
        try:
            async with asyncio.timeout(self.program.grace):
                await asyncio.wait([self._keeper])
        except TimeoutError:
            self._log.say(f"{self.program.name} did not stop in {self.program.grace:g} s and is killed")
            if self.pid is not None:
                signal_group(self.pid, signal.SIGKILL)
        with suppress(asyncio.CancelledError):
            await self._keeper

    async def _keep(self) -> None:
        program, sink = self.program, self._log.sink(self.program.name, self.program.noise)
        while not self._stopping:
            began = time.monotonic()
            process = await _spawn(program, self._data)
            self.pid = process.pid
            self._changed()
            if self._stopping:  # `stop` was called during the start
                process.send_signal(program.stop_signal)
            assert process.stdout is not None
            reading = asyncio.create_task(_read_lines(process.stdout, sink))
            status = await process.wait()
            # Processes that it started may outlive it, and would keep its port and its output open.
            signal_group(process.pid, signal.SIGKILL)
            await reading
            self.pid = None
            self._changed()
            self.is_unusable = status == UNUSABLE
            self._died.set()
            if self._stopping or self.is_unusable:
                return
            self.failures = 1 if time.monotonic() - began > STABLE_SECONDS else self.failures + 1
            seconds = backoff(self.failures, FIRST_PAUSE, LONGEST_PAUSE).total_seconds()
            self._log.say(f"{program.name} {_how(status)}; starting it again in {seconds:.1f} s")
            await asyncio.sleep(seconds)


async def run_task(task: Task, data: Path, log: Log) -> bool:
    """Run a task to its end. Returns whether it succeeded."""
    program = Program(task.name, task.command, task.folder, task.environment)
    process = await _spawn(program, data)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(task.seconds):
            await _read_lines(process.stdout, log.sink(task.name, None))
            return await process.wait() == 0
    except TimeoutError:
        log.say(f"{task.name} did not end in {task.seconds:g} s")
        return False
    finally:
        if process.returncode is None:
            signal_group(process.pid, signal.SIGKILL)
            await process.wait()


async def _spawn(program: Program, data: Path) -> asyncio.subprocess.Process:
    name, _, value = folder_mark(data).partition("=")
    return await asyncio.create_subprocess_exec(
        *launch_command(program.identity, program.command, orphan_signal=program.orphan_signal),
        cwd=program.folder,
        env={**program.environment, name: value},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=LINE_BYTES,
        # A session of its own: Ctrl-C in the terminal must reach only the supervisor, which stops programs in order.
        start_new_session=True,
    )


async def _read_lines(stream: asyncio.StreamReader, sink: Callable[[str], None]) -> None:
    """Pass on lines. A line longer than the limit is passed on in several."""
    rest = b""
    while block := await stream.read(LINE_BYTES):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            sink(line.decode(errors="replace"))
        if len(rest) > LINE_BYTES:
            sink(rest.decode(errors="replace"))
            rest = b""
    if rest:
        sink(rest.decode(errors="replace"))


def _how(status: int) -> str:
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
