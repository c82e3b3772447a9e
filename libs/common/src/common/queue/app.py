"""The Celery application of a service: how its messages are sent."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, cast

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from common import logging, tracing

# A message that no worker has acknowledged for this long returns to the queue.
VISIBILITY_SECONDS = 3600
VERIFIED = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
"""The broker's certificate is checked, by the authorities that all connections of the process trust."""


class Application(Celery):
    """An application whose tasks are its own.

    Celery gives the tasks of one to all applications of a process, and several workers may share one.
    """

    def task(self, *args: Any, **options: Any) -> Any:
        return super().task(*args, **{"shared": False, **options})


def create_celery(name: str, broker_url: str) -> Celery:
    """A Celery application whose tasks wait in a queue with the service's `name`.

    Messages are JSON. They are acknowledged after the work, return to the queue if a worker dies, and have no results.
    """
    app = Application(name, broker=broker_url, set_as_current=False)
    app.conf.update(
        broker_transport="common.queue.transport:Transport",
        # Kombu knows `rediss://` only with its own transport; with ours it would send the password without TLS.
        broker_use_ssl=VERIFIED if broker_url.startswith("rediss://") else False,
        task_default_queue=name,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        # Nobody asks a worker by a message; its supervisor looks at the file that it touches.
        worker_enable_remote_control=False,
        # A task that runs when the connection is lost runs to its end; the message may come again.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_SECONDS,
            # One that dies while it returns messages does not keep the others from it for five minutes.
            "unacked_mutex_expire": 10,
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


def send(app: Celery, task: str, *args: str, queue: str | None = None, most: int | None = None) -> None:
    """Queue a task with the id of the request that caused it. Call it after the commit; it blocks for a moment.

    `queue`: the queue's name if it is not the service's own; `most`: the number of messages that may wait there. If the
    broker is down or the queue is full, no message is sent, but no work is lost: the task's sweep finds the row.
    """
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    headers: dict[str, Any] = {"request_id": request_id} if request_id else {}
    headers["sent_at"] = time.time()
    attributes: tracing.Attributes = {
        "messaging.system": "celery",
        "messaging.destination.name": queue or str(app.conf.task_default_queue),
    }
    try:
        if queue is None or most is None or waiting(app, queue) < most:
            with tracing.step(f"send {task}", "producer", attributes) as step:
                app.send_task(task, args=args, headers=headers | step.carried(), queue=queue, retry=False)
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
