"""Erasing what other services keep of accounts that are gone.

The account went in one transaction, which left a row for each service. Here these are told; asked twice, they do it
once. Each is told a second time an hour later, for what was under way when the account went. What a crash or a service
that was down left undone is found by the next run.
"""

from collections.abc import Mapping

from auth_service.accounts import queries as erasures
from auth_service.directory.model import ERASURE_AGAIN, ERASURE_PAUSE, Erasure
from common import clock, logging
from common.db import Database
from common.errors import DomainError, Unavailable
from common.peers import Peer

BATCH = 50

_log = logging.get(__name__)


async def erase_accounts(database: Database, services: Mapping[str, Peer]) -> None:
    """Tell each service what it has to erase now. Safe to run twice at once."""
    # A service that does not answer would do no better for the next account; its claims come back in a while.
    silent: set[str] = set()
    while True:
        now = clock.now()
        async with database.transaction() as connection:
            claimed = await erasures.claim_erasures(connection, now, now + ERASURE_AGAIN, BATCH)
        for erasure in claimed:
            if erasure.service not in silent and not await _erase(database, services, erasure):
                silent.add(erasure.service)
        if len(claimed) < BATCH:
            return


async def _erase(database: Database, services: Mapping[str, Peer], erasure: Erasure) -> bool:
    try:
        await services[erasure.service].call("DELETE", f"/internal/accounts/{erasure.account_id}")
    except Unavailable:
        _log.warning("an account cannot be erased now, a later sweep will", service=erasure.service)
        return False
    except DomainError as error:
        _log.error("an account was not erased", service=erasure.service, error=error.code)
        return True
    async with database.transaction() as connection:
        if erasure.passes_left > 1:
            await erasures.plan_next_pass(connection, erasure, clock.now() + ERASURE_PAUSE)
        else:
            await erasures.delete_erasure(connection, erasure)
    return True
