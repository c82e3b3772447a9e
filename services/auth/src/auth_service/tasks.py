"""The tasks of the auth service. Each is a sweep: it finds its work in the rows, and may run twice at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from celery import Celery

from auth_service.accounts import erasing
from auth_service.sessions import purging
from auth_service.signing import keys as signing
from common import clock, logging
from common.db import Database
from common.peers import Peer
from common.queue.app import WorkerProcess

ERASE = "auth.erase_accounts"


@dataclass(frozen=True, slots=True)
class Working:
    """What the tasks of one worker process work with."""

    database: Database
    services: Mapping[str, Peer]
    """Those that keep things of accounts, by their names."""
    key_lifetime: timedelta


def register(app: Celery, process: WorkerProcess[Working]) -> None:
    """Make the tasks known to `app`. None is retried: the next sweep comes anyway."""
    task: Callable[..., Any] = app.task

    @task(name=ERASE)
    def erase_accounts() -> None:
        process.run(lambda working: erasing.erase_accounts(working.database, working.services))

    @task(name="auth.purge_sessions")
    def purge_sessions() -> None:
        process.run(lambda working: purging.purge(working.database))

    @task(name="auth.rotate_keys")
    def rotate_keys() -> None:
        process.run(rotate_old_key)


async def rotate_old_key(working: Working) -> None:
    """Let a new key sign, if the present one is old enough."""
    async with working.database.transaction() as connection:
        made = await signing.rotate_keys(connection, clock.now(), working.key_lifetime)
    if made:
        logging.get(__name__).info("a new key signs", kid=made.kid)
