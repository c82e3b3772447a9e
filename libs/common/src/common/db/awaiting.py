"""Waiting for the migrations of a database, for programs that start beside the one that applies them."""

import time
from pathlib import Path

import psycopg
from pydantic import SecretStr

from common import logging
from common.settings import Settings

INTERVAL_SECONDS = 0.25
QUIET_SECONDS = 5.0
"""The time after which the waiting is told: at a start everything waits a moment."""


class AwaitedSettings(Settings):
    """The database that is waited for."""

    database_url: SecretStr


def until_migrated(folder: str) -> None:
    """Return when the database has every migration that is in `folder`. It may have newer ones too."""
    wanted = {path.name for path in Path(folder).glob("*.sql")}
    settings = AwaitedSettings()  # pyright: ignore[reportCallIssue]  (from the environment)
    logging.configure(level=settings.log_level, format=settings.log_format, service="start")
    url = settings.database_url.get_secret_value()
    begun, is_told = time.monotonic(), False
    while missing := wanted - _applied(url):
        if not is_told and time.monotonic() - begun > QUIET_SECONDS:
            is_told = True
            logging.get(__name__).info("waiting for a migration", migration=min(missing))
        time.sleep(INTERVAL_SECONDS)


def _applied(url: str) -> set[str]:
    """The names of the migrations that were applied; none if the database cannot be asked, or does not exist yet."""
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            return {str(name) for (name,) in connection.execute("select name from migration")}
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return set()
