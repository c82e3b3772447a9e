"""Measures by how much the upload service grows during several large uploads at once."""

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psutil

from deploy.local.stack import RunningStack
from tests.bench.paths import Payload, chunked_upload, form_upload
from tests.bench.trees import MIB

AT_ONCE = 8
SAMPLE_SECONDS = 0.02


def growth(stack: RunningStack, total: int, upload: Callable[[str, memoryview], object]) -> float:
    """The most MiB by which the upload service grows while `total` bytes pass through eight uploads at once."""
    contents = [Payload(total // AT_ONCE).fresh() for _ in range(AT_ONCE)]
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
