"""Servers that do a part of what this system does, installed into a cache of the benchmark and run beside it.

None of them is a dependency of the project. One that cannot be installed is skipped, and the report says why.
"""

import hashlib
import os
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local.ports import LOOPBACK, is_free
from deploy.local.settings import SYSTEM_NAMES

HERE = Path(__file__).parent
INSTALL_SECONDS = 180
START_SECONDS = 30
STOP_SECONDS = 10


class Skipped(Exception):
    """A peer cannot be measured here. The message says why."""


def installed(cache: Path, name: str, files: Sequence[Path], steps: Sequence[Sequence[str]]) -> Path:
    """The folder that the commands `steps` fill, the first time that `files` have their present content.

    `{folder}` in a command stands for the folder. Raises `Skipped`.
    """
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    folder = (cache / f"{name}-{digest[:12]}").absolute()
    stamp = folder / ".installed"
    if not stamp.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for path in files:
            (folder / path.name).write_bytes(path.read_bytes())
        for step in steps:
            _run([part.format(folder=folder) for part in step], folder)
        stamp.touch()
    return folder


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Skipped(f"{command[0]}: {error}") from error
    if done.returncode:
        raise Skipped(f"{' '.join(command[:3])} failed: {(done.stderr or done.stdout).strip()[-300:]}")


@contextmanager
def serving(
    command: Sequence[str], port: int, folder: Path, environment: Mapping[str, str]
) -> Generator["subprocess.Popen[bytes]"]:
    """Run a server until the block ends. Its home is `folder`. Raises `Skipped` if it does not listen."""
    inherited = {name: os.environ[name] for name in SYSTEM_NAMES if name in os.environ}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env={**inherited, "HOME": str(folder.parent), **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(server, port)
        yield server
    finally:
        server.terminate()
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def keep_newest(folder: Path) -> None:
    """Remove all files of a folder but the newest one."""
    files = sorted((path for path in folder.iterdir() if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
    for path in files[:-1]:
        path.unlink()


def _await(server: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while is_free(port, LOOPBACK):
        if server.poll() is not None or time.monotonic() > deadline:
            raise Skipped("it did not start")
        time.sleep(0.05)
