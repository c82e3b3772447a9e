"""`run.json` in the data folder lists the running processes, for tools, and for the next start after a crash."""

import json
import os
import signal
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.local.files import write_private
from deploy.local.processes import end, orphans, started

NAME = "run.json"


@dataclass(slots=True)
class Process:
    """A running program: its number, a mark that tells it from later processes, and how to stop it."""

    pid: int
    mark: str
    stop_signal: int
    grace: float


@dataclass(slots=True)
class RunState:
    """The content of `run.json`."""

    supervisor: int = field(default_factory=os.getpid)
    ready: bool = False
    url: str = ""
    ports: dict[str, int] = field(default_factory=dict[str, int])
    processes: dict[str, Process] = field(default_factory=dict[str, Process])

    def save(self, data: Path) -> None:
        write_private(data / NAME, json.dumps(asdict(self), indent=2) + "\n")

    @staticmethod
    def remove(data: Path) -> None:
        (data / NAME).unlink(missing_ok=True)

    @classmethod
    def load(cls, data: Path) -> "RunState | None":
        """The state of a running or killed stack; None if there is none."""
        try:
            found = json.loads((data / NAME).read_text(encoding="utf-8"))
            found["processes"] = {name: Process(**values) for name, values in found["processes"].items()}
            return cls(**found)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):
            # It is incomplete, or another version wrote it, so it cannot be relied on.
            return None


async def stop_leftovers(data: Path) -> list[str]:
    """End the programs that a killed supervisor left running on this folder, in reverse order. Returns their names.

    A number alone may belong to another process by now, so only processes whose mark is known are ended.
    """
    state = RunState.load(data)
    stopped: list[str] = []
    for name, process in reversed((state.processes if state else {}).items()):
        if started(process.pid) == process.mark:
            await end(process.pid, process.mark, process.stop_signal, process.grace)
            stopped.append(name)
        for pid in orphans(process.pid, data):
            os.kill(pid, signal.SIGKILL)
    RunState.remove(data)
    return stopped
