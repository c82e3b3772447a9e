"""The disk's own speed: `dd` of a file that is in memory already, as the measure of uploads."""

import os
import shutil
import subprocess
from pathlib import Path


class NoSpace(Exception):
    """The disk has too little space for the files that the benchmark sends."""


def copy(source: Path, target: Path, *, synced: bool) -> None:
    """Copy with `dd` in blocks of 1 MiB. `synced`: until the disk has all of it."""
    end = ["conv=fsync"] if synced else []
    subprocess.run(["dd", f"if={source}", f"of={target}", "bs=1M", *end], check=True, stderr=subprocess.DEVNULL)


def settle() -> None:
    """Wait until the disk has everything that was written before, so that it does not slow the next measurement."""
    os.sync()


def require(folder: Path, needed: int) -> None:
    """Raises `NoSpace` if less than `needed` bytes are free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoSpace(f"{folder} has {free >> 20} MiB free; these measurements need {needed >> 20} MiB")
