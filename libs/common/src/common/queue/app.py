"""The Celery application of a service, and the worker process behind it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

import structlog
from celery import Celery, signals
from celery.app.task import Context
from kombu.exceptions import OperationalError

from common import logging
from common.settings import QueueSettings

# A message that no worker acknowledged comes back after this long; no task may take longer.
VISIBILITY_SECONDS = 3600
TASK_SECONDS = 3000

State = TypeVar("State")


def create_celery(name: str, broker_url: str) -> Celery:
    """A Celery application whose tasks are queued under the service's `name`.

    Messages are acknowledged after the work, returned when a worker dies, JSON only, and carry no result.
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
            # A sender gives up soon: the row is there, and a sweep finds it.
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.1,
        },
        broker_pool_limit=4,
    )
    return app


class WorkerProcess(Generic[State]):
    """Runs async operations in a worker's child processes, on one event loop each, with state built once."""

    def __init__(
        self, app: Celery, settings: QueueSettings, state: Callable[[], AbstractAsyncContextManager[State]]
    ) -> None:
        """`state` opens what operations need (pools, clients) inside the child's event loop."""
        self._app, self._settings, self._state = app, settings, state
        self._runner: asyncio.Runner | None = None
        self._opened: tuple[AbstractAsyncContextManager[State], State] | None = None
        signals.setup_logging.connect(self._configure_logging, weak=False)
        signals.worker_process_shutdown.connect(self._close, weak=False)

    def run(self, operation: Callable[[State], Coroutine[Any, Any, None]]) -> None:
        """Run `operation` to its end on this process's event loop."""
        if self._runner is None:
            self._runner = asyncio.Runner()
        if self._opened is None:
            context = self._state()
            self._opened = (context, self._runner.run(context.__aenter__()))
        request = self._request()
        with structlog.contextvars.bound_contextvars(task=request.get("task"), request_id=request.get("request_id")):
            self._runner.run(operation(self._opened[1]))

    def _request(self) -> Context:
        task = self._app.current_worker_task
        assert task is not None, "only a task runs operations here"
        return task.request

    def _configure_logging(self, **_: object) -> None:
        name = f"{self._app.main}-worker"
        logging.configure(level=self._settings.log_level, format=self._settings.log_format, service=name)

    def _close(self, **_: object) -> None:
        if self._runner and self._opened:
            self._runner.run(self._opened[0].__aexit__(None, None, None))
            self._runner.close()


def send(app: Celery, task: str, *args: str) -> None:
    """Queue a task with the id of the request that caused it. Call it after the commit; it blocks for a moment.

    A broker that is down loses the message, not the work: the task's sweep finds the row.
    """
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    headers = {"request_id": request_id} if request_id else {}
    try:
        app.send_task(task, args=args, headers=headers, retry=False)
    except OperationalError as error:
        logging.get(__name__).warning("message not sent, its sweep will", task=task, error=str(error))


async def send_soon(app: Celery, task: str, *args: str) -> None:
    """`send`, away from the event loop."""
    await asyncio.to_thread(send, app, task, *args)
