"""The addresses that have signed in to an account, of which only digests are kept."""

import hashlib
from datetime import datetime
from uuid import UUID

from auth_service.directory import queries as accounts
from auth_service.directory.model import ADDRESS_REMEMBERED
from common import clock
from common.db import Connection


async def remember(connection: Connection, account_id: UUID, address: str) -> None:
    """This address signed in to the account."""
    await accounts.remember_address(connection, account_id, _digest(account_id, address), clock.now())


async def is_known(connection: Connection, account_id: UUID, address: str) -> bool:
    """Whether this address has signed in to the account not long ago."""
    seen_after = clock.now() - ADDRESS_REMEMBERED
    return await accounts.is_known_address(connection, account_id, _digest(account_id, address), seen_after)


async def forget_old(connection: Connection, now: datetime, limit: int) -> int:
    """Forget up to `limit` addresses that have not signed in for long. Returns how many."""
    return await accounts.forget_addresses(connection, now - ADDRESS_REMEMBERED, limit)


def _digest(account_id: UUID, address: str) -> bytes:
    return hashlib.sha256(account_id.bytes + address.encode()).digest()
