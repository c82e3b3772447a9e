"""The beat as a program of its own, of which there is one: `celery -A common.queue.beat:app beat`."""

from common import logging
from common.queue.schedule import create_beat
from common.settings import QueueSettings

settings = QueueSettings()  # pyright: ignore[reportCallIssue]  (its values come from the environment)
logging.configure(level=settings.log_level, format=settings.log_format, service="beat")
app = create_beat(settings.broker_url.get_secret_value())
