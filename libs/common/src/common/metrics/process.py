"""Numbers about any process: its version, processor time, memory and open files, from Linux's /proc."""

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from common.metrics import Counter, Gauge, Labels
from common.version import VERSION

_BEGUN = time.time()
_PAGE = os.sysconf("SC_PAGE_SIZE")


class _ProcessorTime(Counter):
    def value(self, *labels: str) -> float:
        del labels
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    def lines(self) -> Iterator[str]:
        yield f"{self.name}_total {self.value()}"


def _memory() -> dict[Labels, float]:
    return {(): float(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE}


def _files() -> dict[Labels, float]:
    return {(): float(len(os.listdir("/proc/self/fd")))}  # noqa: PTH208  (only their number)


INFO = Gauge("waystation_build", "The version of the process; always 1.", ["version"])
INFO.set(VERSION, to=1)
_ProcessorTime("process_cpu_seconds", "Processor time of the process.")
Gauge("process_resident_memory_bytes", "Memory of the process.", look=_memory)
Gauge("process_open_fds", "Open files and sockets of the process.", look=_files)
Gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", look=lambda: {(): _BEGUN})
