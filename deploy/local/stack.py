"""Starts a stack, or finds a running one, for tests and benchmarks.

with start(folder, environment={"UPLOAD_COUNT": "1000"}) as stack:
    httpx.get(f"{stack.url}/health")
    stack.kill("valkey")
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from deploy.local.__main__ import UNTIL_STDIN_CLOSES
from deploy.local.places import ROOT
from deploy.local.ports import is_free
from deploy.local.processes import started
from deploy.local.settings import SYSTEM_NAMES
from deploy.local.state import Process, RunState
from deploy.local.supervisor import READY_SECONDS

LOG_NAME = "stack.log"
TAIL_LINES = 60


class StackFailed(Exception):
    """The stack did not start, or does not run. The message contains the end of its log."""


@dataclass(frozen=True, slots=True)
class RunningStack:
    """A running stack on a data folder, whichever process started it."""

    folder: Path

    @property
    def url(self) -> str:
        """The address of the gateway."""
        return self.state().url

    @property
    def ports(self) -> Mapping[str, int]:
        """The port of each engine and service on 127.0.0.1."""
        return self.state().ports

    def state(self) -> RunState:
        state = RunState.load(self.folder)
        if state is None:
            raise StackFailed(f"no stack runs on {self.folder}")
        return state

    def process(self, name: str) -> Process | None:
        """The process of a program such as `upload`, `worker` or `postgres`; None while it is restarted."""
        return self.state().processes.get(name)

    def pid_of(self, name: str) -> int:
        """The number of a program's process. Waits while it is restarted."""
        return self._wait_for(name, other_than=None).pid

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Signal a program's process. Returns its number."""
        pid = self.pid_of(name)
        os.kill(pid, number)
        return pid

    def wait_restarted(self, name: str, killed: int, seconds: float = READY_SECONDS) -> int:
        """Wait until a program runs again, in another process than `killed`, and listens; returns its number."""
        process = self._wait_for(name, other_than=killed, seconds=seconds)
        port = self.ports.get(name)
        deadline = time.monotonic() + seconds
        while port and is_free(port):
            if time.monotonic() > deadline:
                raise StackFailed(f"{name} does not listen")
            time.sleep(0.02)
        return process.pid

    def _wait_for(self, name: str, *, other_than: int | None, seconds: float = READY_SECONDS) -> Process:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            process = self.process(name)
            if process is not None and process.pid != other_than and started(process.pid) == process.mark:
                return process
            time.sleep(0.02)
        raise StackFailed(f"{name} does not run")


@dataclass(frozen=True, slots=True)
class StartedStack(RunningStack):
    """A stack that this process started. It ends with `stop`, with the `with` block, or when this process dies."""

    supervisor: "subprocess.Popen[bytes]" = field(kw_only=True)

    def stop(self, seconds: float = 90.0) -> None:
        """Stop everything. Raises `StackFailed` if a process is left."""
        with suppress(StackFailed):
            last = self.state()
            self._end_supervisor(seconds)
            left = [name for name, process in last.processes.items() if started(process.pid) == process.mark]
            if left:
                raise StackFailed(f"still running after the stop: {', '.join(left)}")
        self._end_supervisor(seconds)

    def _end_supervisor(self, seconds: float) -> None:
        self.supervisor.terminate()
        try:
            self.supervisor.wait(seconds)
        except subprocess.TimeoutExpired:
            self.supervisor.kill()
            self.supervisor.wait()
            raise StackFailed(f"the stack did not stop in {seconds:g} s\n{tail(self.folder)}") from None
        finally:
            if self.supervisor.stdin:
                self.supervisor.stdin.close()

    def __enter__(self) -> "StartedStack":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    data_folder: Path,
    *,
    port: int = 0,
    environment: Mapping[str, str] | None = None,
    seconds: float = READY_SECONDS + 30,
    python: str = sys.executable,
    checkout: Path = ROOT,
) -> StartedStack:
    """Start a stack on `data_folder`, and wait until it is ready. Port 0 takes a free one.

    Its settings are those in `environment` alone, not those of this process. `python` and `checkout` are for the code
    of another version. Raises `StackFailed`.
    """
    data_folder = data_folder.absolute()
    data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    inherited = {name: os.environ[name] for name in SYSTEM_NAMES if name in os.environ}
    given = {**inherited, **(environment or {}), "DATA": str(data_folder), "PORT": str(port)}
    with (data_folder / LOG_NAME).open("wb") as log:
        supervisor = subprocess.Popen(
            [python, "-m", "deploy.local", UNTIL_STDIN_CLOSES],
            cwd=checkout,
            env=given,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A session of its own, so that Ctrl-C reaches only this process, which then stops the stack.
            start_new_session=True,
        )
    stack = StartedStack(data_folder, supervisor=supervisor)
    try:
        _wait_ready(stack, seconds)
    except BaseException:
        stack.stop()
        raise
    return stack


def running(data_folder: Path) -> RunningStack:
    """The running stack on `data_folder`. Raises `StackFailed` if there is none that is ready."""
    stack = RunningStack(data_folder.absolute())
    state = stack.state()
    if not state.ready or started(state.supervisor) is None:
        raise StackFailed(f"no stack is ready on {data_folder}")
    return stack


def tail(data_folder: Path, lines: int = TAIL_LINES) -> str:
    """The end of the log of a stack that `start` started."""
    try:
        text = (data_folder / LOG_NAME).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _wait_ready(stack: StartedStack, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if stack.supervisor.poll() is not None:
            raise StackFailed(f"the stack ended with status {stack.supervisor.returncode}\n{tail(stack.folder)}")
        state = RunState.load(stack.folder)
        # The file may still hold the state of an earlier stack that was killed.
        if state is not None and state.ready and state.supervisor == stack.supervisor.pid:
            return
        time.sleep(0.05)
    raise StackFailed(f"the stack was not ready after {seconds:g} s\n{tail(stack.folder)}")
