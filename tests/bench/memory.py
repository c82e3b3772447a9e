"""Measures the system's memory: idle, and during several large uploads at once."""

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil

from deploy.local.stack import RunningStack
from tests.bench.paths import Payload, chunked_upload, form_upload

MIB = 1024 * 1024
AT_ONCE = 8
SAMPLE_SECONDS = 0.02


def idle(stack: RunningStack) -> dict[str, float]:
    """The memory of each program of the stack in MiB. Programs that share a page count a part of it each (PSS)."""
    state = stack.state()
    roots = {name: process.pid for name, process in state.processes.items()}
    roots["supervisor"] = state.supervisor
    own = set(roots.values())
    found: dict[str, float] = {}
    for name, pid in roots.items():
        root = psutil.Process(pid)
        members = [root] if name == "supervisor" else [root, *root.children(recursive=True)]
        members = [member for member in members if member.pid == pid or member.pid not in own]
        found[name] = sum(member.memory_full_info().pss for member in members) / MIB
    return found


def growth(stack: RunningStack, total: int, upload: Callable[[str, memoryview], object]) -> float:
    """The most MiB by which the upload service grows while `total` bytes pass through eight uploads at once."""
    payload = Payload(total // AT_ONCE)
    contents = [payload.fresh() for _ in range(AT_ONCE)]
    process = psutil.Process(stack.pid_of("upload"))
    before = peak = process.memory_info().rss
    ended = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.is_set():
            peak = max(peak, process.memory_info().rss)
            time.sleep(SAMPLE_SECONDS)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda content: upload(stack.url, content), contents))
    finally:
        ended.set()
        watcher.join()
    return (peak - before) / MIB


def form_growth(stack: RunningStack, total: int) -> float:
    return growth(stack, total, form_upload)


def chunked_growth(stack: RunningStack, total: int) -> float:
    return growth(stack, total, lambda url, content: chunked_upload(url, content, hashlib.sha256(content).hexdigest()))
