"""The task that verifies an upload, while something it needs is down."""

from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

from celery import Celery

from common.errors import Unavailable
from common.queue.worker import Worker
from upload_service.content.context import Context
from upload_service.content.tasks import RETRIES, VERIFY, register


class Down:
    """A worker whose database does not answer, the first `times` times."""

    def __init__(self) -> None:
        self.times = self.count = 0

    def run(self, _: Callable[[Any], Any]) -> None:
        self.count += 1
        if self.count <= self.times:
            raise Unavailable


def test_a_verification_is_tried_again_until_it_succeeds_or_is_left_to_the_sweep() -> None:
    # Celery takes each name once in a process.
    app, process = Celery(set_as_current=False), Down()
    register(app, cast("Worker[Context]", process))
    process.times = 2
    app.tasks[VERIFY].apply(args=[uuid4().hex])
    assert process.count == 3
    process.times, process.count = 100, 0
    assert app.tasks[VERIFY].apply(args=[uuid4().hex]).state == "FAILURE"
    assert process.count == RETRIES + 1
    app.close()
