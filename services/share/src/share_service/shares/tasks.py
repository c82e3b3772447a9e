"""The sweeps of the share service."""

from dataclasses import dataclass

from celery import Celery

from common import clock, logging
from common.db import Database
from common.errors import DomainError, Unavailable
from common.peers import Peer
from common.queue.app import WorkerProcess
from share_service import operations
from share_service.shares.model import Release


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What the sweeps work with."""

    database: Database
    upload: Peer


def register(app: Celery, process: WorkerProcess[WorkerState]) -> None:
    """Make the tasks known to the worker."""

    def expire_shares() -> None:
        process.run(sweep)

    app.task(expire_shares, name="share.expire_shares")


async def sweep(state: WorkerState) -> None:
    """End what is over, give back what ended shares hold, forget what was given back long enough ago.

    Safe to run twice at once; what a crash or a service that was down left behind is found by the next run.
    """
    await _end(state)
    await _release(state)
    await _purge(state)


async def _end(state: WorkerState) -> None:
    ended = 1
    while ended:
        async with state.database.transaction() as connection:
            ended = await operations.end_shares(connection, clock.now())


async def _release(state: WorkerState) -> None:
    releases = True
    while releases:
        async with state.database.transaction() as connection:
            releases = await operations.claim_releases(connection, clock.now())
        for release in releases:
            try:
                await _release_one(state, release)
            except Unavailable:
                # The claim comes back in a minute; the others of this batch would fare no better now.
                logging.get(__name__).warning("files cannot be released now, a later sweep will")
                return
            except DomainError as error:
                logging.get(__name__).error("a file was not released", share=str(release.id), error=error.code)


async def _release_one(state: WorkerState, release: Release) -> None:
    if release.file_id and not release.wanted:
        await state.upload.call("DELETE", f"/internal/files/{release.file_id}")
    async with state.database.transaction() as connection:
        await operations.finish_release(connection, release.id, clock.now())


async def _purge(state: WorkerState) -> None:
    purged = 1
    while purged:
        async with state.database.transaction() as connection:
            purged = await operations.purge(connection, clock.now())
