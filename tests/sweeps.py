"""Sweeps of a running system that a test calls rather than waits for."""

import time
from collections.abc import Callable

from celery import Celery

from common.queue.app import create_celery
from common.queue.schedule import QUEUES

PATIENCE_SECONDS = 60
AGAIN_SECONDS = 1
"""A sweep that found nothing yet is asked for again after so long."""


class Sweeps:
    """Asks the workers of a running system for sweeps, as beat does every few seconds or minutes."""

    def __init__(self, broker_url: str) -> None:
        self._queue: Celery = create_celery("tests", broker_url)

    def until(self, holds: Callable[[], bool], *names: str) -> None:
        """Have sweeps such as `share.expire_shares` run until something holds."""
        begun, asked = time.monotonic(), 0.0
        while not holds():
            now = time.monotonic()
            assert now < begun + PATIENCE_SECONDS, "it did not happen in time"
            if now > asked + AGAIN_SECONDS:
                self._ask(*names)
                asked = now
            time.sleep(0.05)

    def _ask(self, *names: str) -> None:
        for name in names:
            service = name.partition(".")[0]
            self._queue.send_task(name, queue=QUEUES.get(service, service))

    def close(self) -> None:
        self._queue.close()
