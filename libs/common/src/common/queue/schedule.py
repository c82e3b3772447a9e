"""The schedule of all sweeps, and the beat that sends their names. It imports no service.

RedBeat keeps in Valkey when each sweep was due last.
"""

import threading
from datetime import timedelta

from celery import Celery
from celery.beat import Service

from common import logging
from common.backoff import backoff
from common.queue.app import create_celery

# The queues of services whose sweeps do not wait in the service's own.
QUEUES = {"upload": "transfers"}
SECONDS = {
    "upload.sweep_unverified": 10,
    "upload.abort_stale_sessions": 60,
    "upload.collect_garbage": 30,
    "upload.release_unclaimed": 60,
    "upload.expire_files": 15,
    "upload.sweep_replicas": 5,
    "upload.sweep_fetches": 5,
    "upload.probe_mirrors": 60,
    "upload.sweep_mirrors": 3600,
    "upload.tell_events": 5,
    "upload.sum_usage": 30,
    "upload.compare_usage": 3600,
    "share.expire_shares": 15,
    "share.call_webhooks": 5,
    "share.forget_audit": 3600,
    "share.fold_statistics": 60,
    "auth.erase_accounts": 15,
    "auth.compare_names": 30,
    "auth.purge_sessions": 300,
    "auth.forget_links": 3600,
    "auth.rotate_keys": 3600,
    "chat.purge_rooms": 30,
    "chat.forget_texts": 600,
}
"""How often each sweep runs."""
SCHEDULER = "redbeat.RedBeatScheduler"
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=0.5), timedelta(seconds=5)
"""The first and the longest pause after the broker could not be reached."""

_log = logging.get(__name__)


def create_beat(broker_url: str, *, alone: bool = False) -> Celery:
    """The application of a beat. A second beat on the same broker waits, so that no sweep is sent twice.

    With `alone` the caller knows that there is no other, and a new beat need not wait for the lock of one that was
    killed.
    """
    app = create_celery("beat", broker_url)
    app.conf.update(
        redbeat_redis_url=broker_url,
        redbeat_key_prefix="redbeat:",
        redbeat_redis_options={"socket_timeout": 10, "socket_connect_timeout": 3, "socket_keepalive": True},
        redbeat_lock_timeout=30,
        beat_max_loop_interval=5,
        beat_schedule={task: _entry(task, seconds) for task, seconds in SECONDS.items()},
    )
    if alone:
        app.conf.redbeat_lock_key = None
    return app


def _entry(task: str, seconds: int) -> dict[str, object]:
    # A sweep that waited longer than its interval is dropped, because the next one has been sent.
    service = task.partition(".")[0]
    queue = QUEUES.get(service, service)
    return {"task": task, "schedule": timedelta(seconds=seconds), "options": {"queue": queue, "expires": seconds}}


class Beat:
    """A beat in a thread of a worker's process."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._service: Service | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._keep, name="beat", daemon=True).start()

    def stop(self) -> None:
        """Send no other sweep. The thread may sleep until the process ends."""
        self._stopping.set()
        if self._service:
            self._service.stop()

    def _keep(self) -> None:
        self._app.set_current()
        failures = 0
        while not self._stopping.is_set():
            self._service = Service(self._app, scheduler_cls=SCHEDULER)
            try:
                self._service.start()
            except Exception as error:  # noqa: BLE001  (whatever it is, sweeps must go on)
                failures += 1
                _log.warning("beat starts again", error=repr(error))
            self._stopping.wait(backoff(failures, FIRST_PAUSE, LONGEST_PAUSE).total_seconds())
