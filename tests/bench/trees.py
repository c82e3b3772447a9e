"""The processes of a system with all their children: the processor time that they took, the memory that they hold."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil

from deploy.local.stack import RunningStack

MIB = 1024 * 1024
SETTLE_SECONDS = 0.25
"""How long the work that follows an answer (tasks, events) still counts."""


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
        found = dict.fromkeys(self.roots(), 0.0)
        for name, process in self._members():
            with suppress(psutil.NoSuchProcess):
                found[name] += sum(process.cpu_times()[:4])
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


@contextmanager
def timed(tree: Tree | None) -> Generator[Taken]:
    """Measure a block. The time that the system goes on working after it counts as processor time alone."""
    before = tree.processor_seconds() if tree else {}
    taken = Taken()
    begun = time.perf_counter()
    yield taken
    taken.seconds = time.perf_counter() - begun
    if tree:
        time.sleep(SETTLE_SECONDS)
        after = tree.processor_seconds()
        taken.processor = {name: max(0.0, after[name] - before.get(name, 0.0)) for name in after}
