"""The only scheduler of the system: it knows how often each sweep runs. It sends names and imports no service.

RedBeat keeps the schedule in Valkey under a lock, so that a second beat waits instead of doubling every sweep.
"""

from datetime import timedelta

from common import logging
from common.queue.app import create_celery
from common.settings import QueueSettings

settings = QueueSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
logging.configure(level=settings.log_level, format=settings.log_format, service="beat")

app = create_celery("beat", settings.broker_url.get_secret_value())


# The queues of services whose sweeps do not wait in the service's own.
QUEUES = {"upload": "transfers"}


def _every(seconds: int, task: str) -> dict[str, object]:
    # A sweep that waited longer than its interval is dropped, because the next one has been sent.
    service = task.partition(".")[0]
    queue = QUEUES.get(service, service)
    return {"task": task, "schedule": timedelta(seconds=seconds), "options": {"queue": queue, "expires": seconds}}


app.conf.update(
    beat_scheduler="redbeat.RedBeatScheduler",
    redbeat_redis_url=settings.broker_url.get_secret_value(),
    redbeat_key_prefix="redbeat:",
    redbeat_redis_options={"socket_timeout": 10, "socket_connect_timeout": 3, "socket_keepalive": True},
    redbeat_lock_timeout=30,
    beat_max_loop_interval=5,
    beat_schedule={
        entry: _every(seconds, entry)
        for entry, seconds in {
            "upload.sweep_unverified": 10,
            "upload.abort_stale_sessions": 60,
            "upload.collect_garbage": 60,
            "upload.release_unclaimed": 60,
            "upload.expire_files": 15,
            "upload.sweep_replicas": 5,
            "upload.sweep_fetches": 5,
            "upload.probe_mirrors": 60,
            "share.expire_shares": 15,
            "auth.erase_accounts": 15,
            "auth.purge_sessions": 300,
            "auth.rotate_keys": 3600,
            "chat.purge_rooms": 30,
        }.items()
    },
)
