"""A process that serves the queues of one or several workers, and may schedule their sweeps as well.

Each worker has a consumer of its own: a connection to the broker, a bound on the messages that it holds, and a pool of
threads. So a queue that is full of work delays no other, although all of them are in one process.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, cast

from celery.concurrency.thread import TaskPool
from celery.worker import WorkController, state
from celery.worker.consumer import Consumer as CeleryConsumer
from kombu.asynchronous import set_event_loop

from common import logging, start, tracing
from common.queue.measuring import serve_metrics
from common.queue.presence import Presence
from common.queue.schedule import Beat
from common.queue.worker import Worker
from common.settings import Settings

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
PULSE_SECONDS = 2.0
LONGEST_PULSE = 10.0
"""A consumer that showed no life for this long is not alive."""
STOP_SECONDS = 8.0
"""How long running tasks may take to end after they were cancelled."""

_log = logging.get(__name__)


class Pool(TaskPool):
    """Threads whose current application is the worker's: Celery finds tasks in it, and there are several here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        app: Any = cast("Any", self).app
        self.executor = ThreadPoolExecutor(self.limit, thread_name_prefix=app.main, initializer=app.set_current)


class QueueConsumer(CeleryConsumer):
    """Outlives tasks that end after the connection was lost on which their messages came."""

    def call_soon_ack(self, p: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        def acknowledge() -> None:
            try:
                p(*args, **kwargs)
            except Exception as error:  # noqa: BLE001  (a closed channel raises whatever it comes to first)
                # The work itself is done, so the message does nothing when it comes again.
                _log.warning("message not acknowledged", error=repr(error))

        return super().call_soon_ack(acknowledge)


class Pulse:
    """Touches a file as long as every consumer is connected to the broker and its loop runs."""

    def __init__(self, file: Path | None, consumers: int) -> None:
        self._file, self._consumers = file, consumers
        self._seen: dict[str, float] = {}

    def of(self, name: str) -> None:
        """Note that the consumer `name` is alive."""
        now = time.monotonic()
        self._seen[name] = now
        if self._file and self.is_alive():
            self._file.touch()

    def is_alive(self) -> bool:
        """Whether every consumer has shown life lately."""
        seen = list(self._seen.values())
        return len(seen) == self._consumers and time.monotonic() - min(seen) < LONGEST_PULSE


class Consumer:
    """Takes a worker's messages from its queue, in a thread."""

    def __init__(self, worker: Worker[Any], pulse: Pulse, ended: "SimpleQueue[str]") -> None:
        self._worker, self._pulse, self._ended = worker, pulse, ended
        worker.app.finalize()
        # Celery would share the last event loop that was made in this process.
        set_event_loop(None)
        self._controller: Any = WorkController(
            app=worker.app,
            hostname=f"{worker.name}@{os.getpid()}",
            queues=[worker.queue],
            pool=Pool,
            consumer_cls=QueueConsumer,
            concurrency=worker.threads,
            ready_callback=self._begin_pulse,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self.thread = threading.Thread(target=self._run, name=worker.name, daemon=True)

    def wake(self) -> None:
        """Let the loop notice at once that it has to stop."""
        self._controller.hub.call_soon(lambda: None)

    def _begin_pulse(self, _: object) -> None:
        self._pulse.of(self._worker.name)
        self._controller.hub.timer.call_repeatedly(PULSE_SECONDS, self._pulse.of, (self._worker.name,))

    def _run(self) -> None:
        self._worker.app.set_current()
        try:
            self._controller.start()
        finally:
            self._ended.put(self._worker.name)


def serve(workers: Sequence[Worker[Any]], *, alive: Path | None = None, beat: Beat | None = None) -> int:
    """Serve the workers' queues until a signal to stop; the status to exit with.

    The file `alive` is touched every two seconds once all consumers are ready. If a consumer ends by itself, all are
    stopped, and the status is 1: whatever runs this process has to start it again.
    """
    events: SimpleQueue[str] = SimpleQueue()
    for number in STOP_SIGNALS:
        # A `SimpleQueue` may be used in a signal's handler.
        signal.signal(number, lambda _, __: events.put(""))
    pulse = Pulse(alive, len(workers))
    consumers = [Consumer(worker, pulse, events) for worker in workers]
    for consumer in consumers:
        consumer.thread.start()
    if beat:
        beat.start()
    broker_url = str(workers[0].app.conf.broker_url)
    presence = Presence(broker_url, [worker.queue for worker in workers], pulse.is_alive)
    start.started()
    ended = events.get()
    if ended:
        _log.error("a consumer ended by itself", consumer=ended)
    presence.end()
    _stop(workers, consumers, beat)
    return 1 if ended else 0


def _stop(workers: Sequence[Worker[Any]], consumers: Sequence[Consumer], beat: Beat | None) -> None:
    if beat:
        beat.stop()
    for worker in workers:
        worker.cancel()
    state.should_stop = os.EX_OK  # pyright: ignore[reportAttributeAccessIssue]  (a global of Celery's)
    for consumer in consumers:
        consumer.wake()
    deadline = time.monotonic() + STOP_SECONDS
    for consumer in consumers:
        consumer.thread.join(max(0.0, deadline - time.monotonic()))
    for worker in workers:
        worker.close()


def main(*workers: Worker[Any], settings: Settings, name: str, beat: Beat | None = None) -> None:
    """The body of a worker's program: `… [FILE [PORT]]`.

    FILE is touched as long as all of it is alive; its numbers for Prometheus are at PORT.
    """
    logging.configure(level=settings.log_level, format=settings.log_format, service=name)
    tracing.begin(settings, name)
    if len(sys.argv) > 2:
        serve_metrics(int(sys.argv[2]), [(worker.queue, worker.app) for worker in workers])
    sys.exit(serve(workers, alive=Path(sys.argv[1]) if len(sys.argv) > 1 else None, beat=beat))
