"""The use of threads in the worker of transfers."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from uuid import uuid4

from celery import Celery

from common.queue.worker import Worker
from upload_service.context import Context
from upload_service.fetches.tasks import FETCH
from upload_service.mirrors.tasks import REPLICATE
from upload_service.tasks import register_transfers


class Process:
    """Stands for a worker: it runs nothing, and each call waits until the test lets all of them end."""

    def __init__(self) -> None:
        self.ends = threading.Event()
        self.running = threading.Semaphore(0)
        self.count = 0

    def run(self, _: Callable[[Any], Any], **__: object) -> None:
        self.count += 1
        self.running.release()
        assert self.ends.wait(20)


def test_a_transfer_without_a_free_thread_is_left_to_the_sweep_and_probes_have_a_thread_of_their_own() -> None:
    app, process = Celery(set_as_current=False), Process()
    register_transfers(app, cast("Worker[Context]", process), 2)
    with ThreadPoolExecutor(3) as threads:
        copy, fetch = (threads.submit(app.tasks[name], uuid4().hex) for name in (REPLICATE, FETCH))
        for _ in range(2):
            assert process.running.acquire(timeout=20)
        app.tasks[REPLICATE](uuid4().hex)
        app.tasks[FETCH](uuid4().hex)
        assert process.count == 2
        probe = threads.submit(app.tasks["upload.probe_mirrors"])
        assert process.running.acquire(timeout=20)
        # A sweep that is still running is not begun again.
        app.tasks["upload.probe_mirrors"]()
        assert process.count == 3
        process.ends.set()
        for each in (copy, fetch, probe):
            each.result(20)
    app.tasks[REPLICATE](uuid4().hex)
    assert process.count == 4
    app.close()
