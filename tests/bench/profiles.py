"""Flame graphs of the paths of the benchmark: one for each path and each service, made by py-spy.

The watched process is stopped for a moment at each sample, so nothing is measured at the same time.
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from tests.bench import calls, large, mirrors, rates, rooms, small
from tests.bench.bursts import burst
from tests.bench.options import LARGE, Options
from tests.bench.systems import Systems, opened
from tests.bench.trees import Tree

PARTS = (*LARGE, "files", "requests", "rooms", "mirrors")
"""The parts of which there are profiles."""
PROCESSES = ("auth", "upload", "share", "chat", "worker")
"""The processes that run Python while the system works."""
SAMPLES_PER_SECOND = 200
BEGIN_SECONDS = 10.0
"""The longest that py-spy may take until it watches a process."""
SMALL_FORMS = "form of 64 KiB"
WHOLE: dict[str, Callable[[Systems, Options], object]] = {"rooms": rooms.measure, "mirrors": mirrors.measure}
"""Parts whose paths take turns, so that they have one profile together."""


class ProfileFailed(Exception):
    """A process could not be watched. The message says why."""


def program() -> str:
    """The path of py-spy. Raises `ProfileFailed`."""
    found = shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")
    if found is None:
        raise ProfileFailed("py-spy is not installed; it comes with the tools of `make test`")
    return found


def write(options: Options) -> int:
    """Write the profiles of the parts; 1 if that failed."""
    # One round of each path, and nobody beside it.
    options = replace(options, rounds=1, peers=False)
    try:
        program()
        with tempfile.TemporaryDirectory(prefix="waystation-bench-") as name, opened(options, Path(name)) as systems:
            for path, run in _runs(systems, options):
                with recorded(systems.tree, options.profiles, path):
                    run()
                print(f"{path}: profiled", flush=True)
    except ProfileFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"The flame graphs are in {options.profiles}.")
    return 0


@contextmanager
def recorded(tree: Tree, folder: Path, path: str) -> Generator[None]:
    """Watch the Python processes of a system while the block runs, and write `<path>-<process>.svg` for each of them.

    Raises `ProfileFailed`, also for a process that may not be watched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    roots: Mapping[str, int] = tree.roots()
    with ExitStack() as closing:
        for name in PROCESSES:
            if name in roots:
                closing.enter_context(_watched(roots[name], folder / f"{_file_name(path)}-{name}.svg"))
        yield


@contextmanager
def _watched(pid: int, target: Path) -> Generator[None]:
    target.unlink(missing_ok=True)
    command = [program(), "record", "--pid", str(pid), "--rate", str(SAMPLES_PER_SECOND)]
    with tempfile.TemporaryFile() as said:
        watcher = subprocess.Popen([*command, "--output", str(target)], stdout=said, stderr=subprocess.STDOUT)
        try:
            _wait_until_begun(watcher, said.fileno())
            yield
        finally:
            if watcher.poll() is None:
                watcher.send_signal(signal.SIGINT)
            watcher.wait()
        if not target.exists():
            raise ProfileFailed(_reason(pid, said.fileno()))


def _wait_until_begun(watcher: "subprocess.Popen[bytes]", said: int) -> None:
    """Return when py-spy says that it samples, or has ended. An interrupt before that would write nothing."""
    deadline = time.monotonic() + BEGIN_SECONDS
    while watcher.poll() is None and b"Sampling" not in _text(said) and time.monotonic() < deadline:
        time.sleep(0.02)


def _reason(pid: int, said: int) -> str:
    told = _text(said).decode(errors="replace").strip()
    return (
        f"process {pid} could not be watched: {told}\n"
        "Watching another process needs root, or `sysctl kernel.yama.ptrace_scope=0`."
    )


def _text(said: int) -> bytes:
    return Path(f"/proc/self/fd/{said}").read_bytes()


def _file_name(path: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")


def _runs(systems: Systems, options: Options) -> Generator[tuple[str, Callable[[], object]]]:
    """The paths of the wanted parts by their names. What a path needs is prepared when it is its turn."""
    for path in large.paths_of(systems, options) if options.parts.intersection(LARGE) else ():
        if path.tree is systems.tree:
            yield path.name, path.prepare()
    if "files" in options.parts:
        yield SMALL_FORMS, _repeating(systems.form.address, systems.form.sending(small.fresh), options.seconds)
    if "requests" in options.parts:
        for name, (_, address, sent) in rates.requests_of(systems).items():
            yield name, _repeating(address, sent, options.seconds)
    for part, measure in WHOLE.items():
        if part in options.parts and not (part == "mirrors" and options.data):
            yield part, _measuring(measure, systems, options)


def _repeating(address: calls.Address, call: calls.Call, seconds: float) -> Callable[[], object]:
    return lambda: calls.run(burst(None, address, call, calls.for_seconds(seconds)))


def _measuring(
    measure: Callable[[Systems, Options], object], systems: Systems, options: Options
) -> Callable[[], object]:
    return lambda: measure(systems, options)
