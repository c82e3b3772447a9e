"""The processes of a system with all their children: the processor time that they took, the memory that they hold."""

import resource
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import psutil

from deploy.local.stack import RunningStack

MIB = 1024 * 1024
SETTLE_SECONDS = 0.25
"""How long the work that follows an answer (tasks, events) still counts."""


class Times(NamedTuple):
    """The processor seconds of processes, and how many of them the kernel took."""

    processor: float = 0.0
    kernel: float = 0.0

    def plus(self, processor: float, kernel: float) -> "Times":
        return Times(self.processor + processor, self.kernel + kernel)


class Watched(Protocol):
    """Processes that are measured."""

    def times(self) -> dict[str, Times]:
        """The times of each process that has a name, up to now."""
        ...


class Commands:
    """The commands that this process has run, and that have ended."""

    def times(self) -> dict[str, Times]:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {"command": Times(used.ru_utime + used.ru_stime, used.ru_stime)}


@dataclass(frozen=True, slots=True)
class Tree:
    """The processes of one system. The client that measures is not among them."""

    roots: Callable[[], Mapping[str, int]]
    """The number of each process that has a name. Every other process counts for its nearest named ancestor."""

    @classmethod
    def of_stack(cls, stack: RunningStack) -> "Tree":
        def roots() -> dict[str, int]:
            state = stack.state()
            return {"supervisor": state.supervisor} | {name: found.pid for name, found in state.processes.items()}

        return cls(roots)

    def processor_seconds(self) -> dict[str, float]:
        """The processor time of each named process and its children so far, those included that have ended."""
        return {name: times.processor for name, times in self.times().items()}

    def times(self) -> dict[str, Times]:
        """The same, and the part of the kernel."""
        found = dict.fromkeys(self.roots(), Times())
        for name, process in self._members():
            with suppress(psutil.NoSuchProcess):
                used = process.cpu_times()
                found[name] = found[name].plus(sum(used[:4]), used.system + used.children_system)
        return found

    def memory(self) -> dict[str, float]:
        """The memory of each named process and its children in MiB. Those that share a page count a part each (PSS)."""
        found = dict.fromkeys(self.roots(), 0.0)
        for name, process in self._members():
            with suppress(psutil.NoSuchProcess):
                found[name] += process.memory_full_info().pss / MIB
        return found

    def _members(self) -> Generator[tuple[str, psutil.Process]]:
        names = {pid: name for name, pid in self.roots().items()}
        parents = {process.pid: process.info["ppid"] for process in psutil.process_iter(["ppid"])}
        for pid in parents:
            owner: int | None = pid
            while owner and owner not in names:
                owner = parents.get(owner)
            if owner:
                with suppress(psutil.NoSuchProcess):
                    yield names[owner], psutil.Process(pid)


@dataclass(slots=True)
class Taken:
    """The seconds that a block took, and the processor seconds that a system spent for it, by process."""

    seconds: float = 0.0
    processor: dict[str, float] = field(default_factory=dict[str, float])
    kernel: float = 0.0
    """The part of it that the kernel took, in all processes together."""


@contextmanager
def timed(tree: Watched | None) -> Generator[Taken]:
    """Measure a block. The time that the system goes on working after it counts as processor time alone."""
    before = tree.times() if tree else {}
    taken = Taken()
    begun = time.perf_counter()
    yield taken
    taken.seconds = time.perf_counter() - begun
    if tree:
        time.sleep(SETTLE_SECONDS)
        after = tree.times()
        taken.processor = {
            name: max(0.0, times.processor - before.get(name, Times()).processor) for name, times in after.items()
        }
        taken.kernel = max(0.0, _kernel(after) - _kernel(before))


def _kernel(found: Mapping[str, Times]) -> float:
    return sum(times.kernel for times in found.values())
