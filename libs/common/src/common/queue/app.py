"""The Celery application of a service, and the worker process behind it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar, cast

import structlog
from celery import Celery, signals
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from common import logging
from common.settings import QueueSettings

# A message that no worker has acknowledged for this long returns to the queue. No task may take longer.
VISIBILITY_SECONDS = 3600
TASK_SECONDS = 3000
# How long cancelled operations may take to clean up.
GIVING_UP_SECONDS = 5

State = TypeVar("State", covariant=True)


def create_celery(name: str, broker_url: str) -> Celery:
    """A Celery application whose tasks wait in a queue with the service's `name`.

    Messages are JSON. They are acknowledged after the work, return to the queue if a worker dies, and have no results.
    """
    app = Celery(name, broker=broker_url, set_as_current=False)
    app.conf.update(
        task_default_queue=name,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_time_limit=TASK_SECONDS,
        task_soft_time_limit=TASK_SECONDS - 60,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_SECONDS,
            "global_keyprefix": "celery:",
            "socket_timeout": 10,
            "socket_connect_timeout": 3,
            "socket_keepalive": True,
            "retry_on_timeout": True,
            # A failed message is soon given up, because a sweep finds its row.
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
        },
        broker_pool_limit=4,
    )
    return app


class WorkerProcess(Generic[State]):
    """Runs async operations in the processes of a worker. Each process has one event loop and builds its state once.

    The loop has a thread of its own. A worker with a pool of threads runs one operation for each thread at a time, one
    with a pool of processes runs one in each process.
    """

    def __init__(
        self, app: Celery, settings: QueueSettings, state: Callable[[], AbstractAsyncContextManager[State]]
    ) -> None:
        """`state` opens the pools and clients that operations need, inside the process's event loop."""
        self._app, self._settings, self._state = app, settings, state
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._opened: tuple[AbstractAsyncContextManager[State], State] | None = None
        self._is_ending = False
        self._running: set[Future[None]] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        signals.setup_logging.connect(self._configure_logging, weak=False)
        # The first signal is sent in the children of a process pool, the other two in the process of a thread pool.
        signals.worker_process_shutdown.connect(self._close, weak=False)
        signals.worker_shutting_down.connect(self._cancel, weak=False)
        signals.worker_shutdown.connect(self._close, weak=False)

    def run(self, operation: Callable[[State], Coroutine[Any, Any, None]]) -> None:
        """Run `operation` to its end on this process's event loop. Do nothing if the worker is shutting down."""
        with self._starting:
            if self._is_ending:
                return
            state = self._start()
        assert self._loop is not None
        future = asyncio.run_coroutine_threadsafe(self._bound(operation(state)), self._loop)
        self._running.add(future)
        if self._is_ending:
            # The worker began to shut down after the check above.
            future.cancel()
        try:
            future.result()
        except CancelledError:
            # The worker is shutting down. A sweep finds the row of the unfinished work.
            return
        except BaseException:
            # Celery raises its time limit in this thread alone.
            future.cancel()
            raise
        finally:
            self._running.discard(future)

    def _start(self) -> State:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="operations", daemon=True).start()
        if self._opened is None:
            context = self._state()
            state = asyncio.run_coroutine_threadsafe(context.__aenter__(), self._loop).result()
            self._opened = (context, state)
        return self._opened[1]

    def _bound(self, operation: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        """The operation, with the names of its task and request in all its log lines."""
        task = self._app.current_worker_task
        assert task is not None, "only a task runs operations here"
        request = task.request
        names = {"task": request.get("task"), "request_id": request.get("request_id")}

        async def bound() -> None:
            current = asyncio.current_task()
            assert current is not None
            self._tasks.add(current)
            try:
                with structlog.contextvars.bound_contextvars(**names):
                    await operation
            finally:
                self._tasks.discard(current)

        return bound()

    def _configure_logging(self, **_: object) -> None:
        name = f"{self._app.main}-worker"
        logging.configure(level=self._settings.log_level, format=self._settings.log_format, service=name)

    def _cancel(self, **_: object) -> None:
        """Cancel the running operations: they release their claims, and sweeps start them again."""
        self._is_ending = True
        for future in list(self._running):
            future.cancel()

    def _close(self, **_: object) -> None:
        if self._loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._close_state(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _close_state(self) -> None:
        if self._tasks:
            # Cancelled operations still release their claims.
            await asyncio.wait(self._tasks, timeout=GIVING_UP_SECONDS)
        if self._opened:
            await self._opened[0].__aexit__(None, None, None)


def send(app: Celery, task: str, *args: str, queue: str | None = None, most: int | None = None) -> None:
    """Queue a task with the id of the request that caused it. Call it after the commit; it blocks for a moment.

    `queue`: the queue's name if it is not the service's own; `most`: the number of messages that may wait there. If the
    broker is down or the queue is full, no message is sent, but no work is lost: the task's sweep finds the row.
    """
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    headers = {"request_id": request_id} if request_id else {}
    try:
        if queue is None or most is None or waiting(app, queue) < most:
            app.send_task(task, args=args, headers=headers, queue=queue, retry=False)
    except (OperationalError, RedisError) as error:
        logging.get(__name__).warning("message not sent, its sweep will", task=task, error=str(error))


def send_some(app: Celery, task: str, ids: Sequence[str], *, queue: str, most: int) -> int:
    """Send a message for each of the first ids, until `most` messages wait in the queue. Returns their number.

    For sweeps, which request all that is left again and again: the queue must not grow by that.
    """
    try:
        room = max(0, most - waiting(app, queue))
        for one in ids[:room]:
            app.send_task(task, args=[one], queue=queue, retry=False)
    except (OperationalError, RedisError) as error:
        logging.get(__name__).warning("messages not sent, the next sweep will", task=task, error=str(error))
        return 0
    return min(room, len(ids))


def waiting(app: Celery, queue: str) -> int:
    """The number of messages that no worker has taken yet. Raises `RedisError`, `OperationalError`."""
    with app.connection_or_acquire() as connection:
        return cast("Any", connection.default_channel).client.llen(queue)


async def send_soon(app: Celery, task: str, *args: str, queue: str | None = None, most: int | None = None) -> None:
    """`send` on a thread, so that the event loop does not wait."""
    await asyncio.to_thread(send, app, task, *args, queue=queue, most=most)
