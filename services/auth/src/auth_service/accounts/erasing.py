"""Having other services erase the data of deleted accounts.

The transaction that deletes an account adds a row for each service. This sweep tells the services; a service that is
told twice erases once. Each is told a second time an hour later, because of requests that were under way when the
account was deleted. The next sweep finds what a crash, or a service that was down, left undone.
"""

from auth_service.accounts import queries
from auth_service.accounts.model import ERASURE_PAUSE, ERASURE_RETRY, Erasure
from auth_service.context import WorkerContext
from common import clock, logging
from common.errors import DomainError, Unavailable

BATCH = 50

_log = logging.get(__name__)


async def erase_accounts(context: WorkerContext) -> None:
    """Tell each service which accounts' data it has to erase now. Safe to run twice at once."""
    # A service that does not answer would not answer for the next account either. Its claims come back in a while.
    silent: set[str] = set()
    while True:
        now = clock.now()
        async with context.db.transaction() as connection:
            claimed = await queries.claim_erasures(connection, now, now + ERASURE_RETRY, BATCH)
        for erasure in claimed:
            if erasure.service not in silent and not await _erase(context, erasure):
                silent.add(erasure.service)
        if len(claimed) < BATCH:
            return


async def _erase(context: WorkerContext, erasure: Erasure) -> bool:
    """Tell one service about one account. Returns False when the service does not answer."""
    try:
        await context.services[erasure.service].call("DELETE", f"/internal/accounts/{erasure.account_id}")
    except Unavailable:
        _log.warning("an account cannot be erased now, a later sweep will", service=erasure.service)
        return False
    except DomainError as error:
        _log.error("an account was not erased", service=erasure.service, error=error.code)
        return True
    async with context.db.transaction() as connection:
        if erasure.passes_left > 1:
            await queries.plan_next_pass(connection, erasure, clock.now() + ERASURE_PAUSE)
        else:
            await queries.delete_erasure(connection, erasure)
    return True
