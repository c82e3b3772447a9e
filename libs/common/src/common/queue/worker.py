"""A worker: it takes tasks from one queue, and runs their async operations on an event loop of its own."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from typing import Any, Generic, TypeVar

import structlog
from celery import Celery, signals

from common import logging, tracing
from common.queue.app import VISIBILITY_SECONDS
from common.queue.measuring import measured
from common.queue.schedule import SECONDS

TASK_SECONDS = VISIBILITY_SECONDS - 600
"""An operation is cancelled after this long, before its message returns to the queue."""
GIVING_UP_SECONDS = 5
"""How long cancelled operations may take to clean up."""

_log = logging.get(__name__)

State = TypeVar("State", covariant=True)


class Worker(Generic[State]):
    """Runs the operations of one queue's tasks, as many at a time as it has threads.

    A thread hands its task's operation to the event loop, which has a thread of its own, and waits. Several workers can
    share a process: each has its own threads, loop and state, so that a long queue of one delays none of the others.
    """

    def __init__(
        self,
        app: Celery,
        state: Callable[[], AbstractAsyncContextManager[State]],
        *,
        threads: int,
        queue: str | None = None,
    ) -> None:
        """`state` opens the pools and clients that operations need, inside the event loop, before the first of them.

        `queue` is the application's own unless it is given.
        """
        self.app, self.threads = app, threads
        self.queue: str = queue or app.conf.task_default_queue
        self.name = f"{self.queue}-worker"
        self._state = state
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened: tuple[AbstractAsyncContextManager[State], State] | None = None
        self._is_ending = False
        self._running: set[Future[None]] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    def run(
        self, operation: Callable[[State], Coroutine[Any, Any, None]], *, seconds: float | None = TASK_SECONDS
    ) -> None:
        """Run `operation` to its end on the event loop. Do nothing if the worker is shutting down.

        Raises `TimeoutError` if it was cancelled after `seconds`.
        """
        with self._starting:
            if self._is_ending:
                return
            state = self._start()
        assert self._loop is not None
        future = asyncio.run_coroutine_threadsafe(self._bound(operation(state), seconds), self._loop)
        self._running.add(future)
        if self._is_ending:
            # The worker began to shut down after the check above.
            future.cancel()
        try:
            future.result()
        except CancelledError:
            # The worker is shutting down. A sweep finds the row of the unfinished work.
            return
        finally:
            self._running.discard(future)

    def cancel(self) -> None:
        """Cancel the running operations, and begin no other: they release their claims, and sweeps start them again."""
        self._is_ending = True
        for future in list(self._running):
            future.cancel()

    def close(self) -> None:
        """Close the state, after the cancelled operations have cleaned up."""
        if self._loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._close_state(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _start(self) -> State:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name=f"{self.queue}-loop", daemon=True).start()
        if self._opened is None:
            context = self._state()
            # Pools that are opened here live as long as the worker. Their log lines belong to no task.
            opening = Context().run(asyncio.run_coroutine_threadsafe, context.__aenter__(), self._loop)
            self._opened = (context, opening.result())
        return self._opened[1]

    def _bound(self, operation: Coroutine[Any, Any, None], seconds: float | None) -> Coroutine[Any, Any, None]:
        """The operation with its time limit, and with the names of its task and request in all its log lines."""
        task = self.app.current_worker_task
        assert task is not None, "only a task runs operations here"
        names = {"service": self.name, **names_of(task.request)}
        name, begun = str(names["task"]), time.monotonic()
        step = tracing.entered(
            name,
            "consumer",
            {"messaging.system": "celery", "messaging.destination.name": self.queue},
            carrier=task.request.get(tracing.CARRIER),
            request_id=names["request_id"],
        )

        async def bound() -> None:
            current = asyncio.current_task()
            assert current is not None
            self._tasks.add(current)
            try:
                with structlog.contextvars.bound_contextvars(**names), measured(name), step:
                    async with asyncio.timeout(seconds):
                        await operation
                    if name not in SECONDS:
                        # A sweep ends every few seconds, and says itself what it did.
                        _log.info("task done", seconds=round(time.monotonic() - begun, 3))
            finally:
                self._tasks.discard(current)

        return bound()

    async def _close_state(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GIVING_UP_SECONDS)
        if self._opened:
            await self._opened[0].__aexit__(None, None, None)


def names_of(request: Any) -> dict[str, Any]:
    """The names that log lines have of a task and of the request that caused it."""
    return {"task": request.get("task"), "request_id": request.get("request_id")}


def _name_lines(task: Any, **_: Any) -> None:
    """Give these names to Celery's own lines too, which it writes in the thread of the task."""
    structlog.contextvars.bind_contextvars(**names_of(task.request))


def _end_names(**_: Any) -> None:
    structlog.contextvars.unbind_contextvars("task", "request_id")


signals.task_prerun.connect(_name_lines)
signals.task_postrun.connect(_end_names)
