"""`run.json` of the data folder: what runs, for whoever wants to find it, and for the next start to clean up after."""

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
    """A running program: its number, the mark that tells it from a later one, and how it wants to be stopped."""

    pid: int
    mark: str
    stop_signal: int
    grace: float


@dataclass(slots=True)
class RunState:
    """What `run.json` holds."""

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
        """The state of a running or killed stack; None when there is none."""
        try:
            found = json.loads((data / NAME).read_text(encoding="utf-8"))
            found["processes"] = {name: Process(**values) for name, values in found["processes"].items()}
            return cls(**found)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):
            # Cut off or of another version: it says nothing that can be relied on.
            return None


async def stop_leftovers(data: Path) -> list[str]:
    """End what a killed supervisor left running on this folder, the last started first; return their names.

    Only processes that are provably those it had started: a number alone may have been given to somebody else since.
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
