"""Processes as the kernel knows them: which one a number means, and how to end it with all that it started."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def started(pid: int) -> str | None:
    """A mark that no other process will ever have had under this number: its boot and its start. None if there is none.

    A zombie counts as gone: it holds nothing and will do nothing.
    """
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    state, ticks = fields[0], fields[19]
    return None if state in {"Z", "X"} else f"{boot}:{ticks}"


def signal_group(pid: int, number: int) -> None:
    """Signal a process group, if it is still there."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


async def end(pid: int, mark: str, number: int, grace: float) -> None:
    """End the process that carried `mark`, and its group: by `number` first, then by force."""
    if started(pid) != mark:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    deadline = time.monotonic() + grace
    while started(pid) == mark and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    if started(pid) == mark:
        signal_group(pid, signal.SIGKILL)
    while started(pid) == mark:
        await asyncio.sleep(0.02)
