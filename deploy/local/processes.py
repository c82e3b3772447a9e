"""Processes by number: whether a number still means the same process, and how to end it with its children."""

import asyncio
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def started(pid: int) -> str | None:
    """A mark that tells this process from all others with the same number: its boot and its start time.

    None if there is no such process. A zombie counts as gone.
    """
    if not _PROC.exists():
        return _started_by_ps(pid)
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    state, ticks = fields[0], fields[19]
    return None if state in {"Z", "X"} else f"{boot}:{ticks}"


def _started_by_ps(pid: int) -> str | None:
    """The same on systems without /proc, to the second."""
    found = subprocess.run(["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, moment = found.stdout.strip().partition(" ")
    return moment.strip() if moment and not state.startswith("Z") else None


def orphans(group: int, folder: Path) -> list[int]:
    """The remaining processes of a group whose leader has gone, if they were started for `folder`.

    A pool process in the middle of a task outlives its killed leader until the task ends.
    """
    wanted = folder_mark(folder).encode()
    found: list[int] = []
    for entry in _PROC.glob("[0-9]*"):
        try:
            if os.getpgid(int(entry.name)) == group and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def folder_mark(folder: Path) -> str:
    """The entry that every process of a stack has in its environment."""
    return f"WAYSTATION_DATA={folder}"


def signal_group(pid: int, number: int) -> None:
    """Signal a process group, if it still exists."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


async def end(pid: int, mark: str, number: int, grace: float) -> None:
    """End the process with this mark, and its group: by the signal `number` first, then by force."""
    if started(pid) != mark:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    if not await _gone(pid, mark, grace):
        signal_group(pid, signal.SIGKILL)
        await _gone(pid, mark, grace)


async def _gone(pid: int, mark: str, seconds: float) -> bool:
    """Wait for the end of a process. It is not a child of this one, so it has to be polled."""
    deadline = time.monotonic() + seconds
    while started(pid) == mark:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
    return True
