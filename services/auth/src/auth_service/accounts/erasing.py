"""Having other services erase the data of deleted accounts.

The transaction that deletes an account adds a row for each service. This sweep tells the services; a service that is
told twice erases once. Each is told a second time an hour later, because of requests that were under way when the
account was deleted. The next sweep finds what a crash, or a service that was down, left undone.
"""

from collections.abc import Awaitable
from functools import partial

from auth_service.accounts import queries
from auth_service.accounts.model import ERASURE_PAUSE, ERASURE_RETRY, KEEPERS, Erasure
from auth_service.context import WorkerContext
from common import clock, logging
from common.db import Connection
from common.errors import DomainError, Unavailable
from common.sweeping import Sweep, drain, each

BATCH = 200

_log = logging.get(__name__)


async def erase_accounts(context: WorkerContext) -> None:
    """Tell each service which accounts' data it has to erase now. Safe to run twice at once."""
    await drain(context, SWEEPS)


async def _erase(service: str, context: WorkerContext) -> int:
    """Tell one service about some of the accounts. Raises `Unavailable` when it does not answer.

    It would not answer for the next accounts either. The claims come back in a while.
    """
    now = clock.now()
    async with context.db.transaction() as connection:
        claimed = await queries.claim_erasures(connection, service, now, now + ERASURE_RETRY, BATCH)

    if not claimed:
        return 0

    async def tell(erasure: Erasure) -> DomainError | None:
        try:
            await context.services[service].call("DELETE", f"/internal/accounts/{erasure.account_id}")
        except DomainError as error:
            return error
        return None

    answers = list(zip(claimed, await each(claimed, tell), strict=True))
    done = [erasure for erasure, error in answers if error is None]
    last = [erasure for erasure in done if erasure.passes_left == 1]
    async with context.db.transaction() as connection:
        await queries.plan_next_passes(
            connection, service, [erasure for erasure in done if erasure not in last], clock.now() + ERASURE_PAUSE
        )
        await queries.delete_erasures(connection, service, last)
    for _, error in answers:
        if isinstance(error, Unavailable):
            raise error
        if error:
            _log.error("an account was not erased", service=service, error=error.code)
    return len(claimed)


def _count(service: str, connection: Connection) -> Awaitable[int]:
    return queries.count_erasures(connection, service, clock.now())


SWEEPS = tuple(
    Sweep(f"accounts to erase in {service}", partial(_erase, service), partial(_count, service)) for service in KEEPERS
)
