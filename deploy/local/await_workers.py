"""Waits until the named Celery workers answer: `await_workers NODE...`, with BROKER_URL set."""

import sys
import time

from common.queue.app import create_celery
from common.settings import QueueSettings


def main(nodes: list[str]) -> None:
    settings = QueueSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    app = create_celery("await-workers", settings.broker_url.get_secret_value())
    waiting = set(nodes)
    while waiting:
        replies = app.control.ping(destination=sorted(waiting), timeout=0.5, limit=len(waiting))
        waiting -= {name for reply in replies or [] for name in reply}
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1:])
