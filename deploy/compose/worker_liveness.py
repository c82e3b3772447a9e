"""Shows the health check of a container whether its Celery worker is alive.

The worker imports this module (`celery worker --include worker_liveness`). Its consumer sends a heartbeat every two
seconds while its event loop runs and it is connected to the broker. Each heartbeat touches a file, and the health check
looks at the file's age. `celery inspect ping` would tell the same for a hundred times the processor time.
"""

from pathlib import Path

from celery import signals

ALIVE = Path("/tmp/worker-alive")  # noqa: S108  (nobody else is in the container)


def touch(**_: object) -> None:
    ALIVE.touch()


signals.heartbeat_sent.connect(touch, weak=False)
