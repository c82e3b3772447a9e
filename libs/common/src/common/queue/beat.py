"""The beat as a program of its own, of which there is one: `python -m common.queue.beat [PORT]`.

Its numbers for Prometheus are at PORT."""

import signal
import sys

from celery.beat import Service

from common import logging, start
from common.queue.measuring import serve_metrics
from common.queue.schedule import SCHEDULER, create_beat
from common.settings import QueueSettings


def main() -> None:
    settings = QueueSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
    logging.configure(level=settings.log_level, format=settings.log_format, service="beat")
    # The service takes this as an order to stop, and gives its lock up for the next beat.
    signal.signal(signal.SIGTERM, lambda _, __: sys.exit())
    app = create_beat(settings.broker_url.get_secret_value())
    app.set_current()
    if len(sys.argv) > 1:
        serve_metrics(int(sys.argv[1]), [])
    start.started()
    Service(app, scheduler_cls=SCHEDULER).start()


if __name__ == "__main__":
    main()
