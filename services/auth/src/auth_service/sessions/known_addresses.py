"""The addresses that have signed in to an account. Only their digests are stored."""

from datetime import datetime
from uuid import UUID

from auth_service.directory.model import Account
from auth_service.sessions import queries
from auth_service.sessions.model import ADDRESS_REMEMBERED
from common import clock
from common.db import Connection


async def remember(connection: Connection, account_id: UUID, address: str) -> None:
    """Record that this address signed in to the account."""
    await queries.remember_address(connection, account_id, address, clock.now())


async def is_known(connection: Connection, account_id: UUID, address: str) -> bool:
    """Whether this address has signed in to the account within `ADDRESS_REMEMBERED`."""
    return await queries.is_known_address(connection, account_id, address, clock.now() - ADDRESS_REMEMBERED)


async def find_account(connection: Connection, name_key: str, address: str) -> tuple[Account | None, bool]:
    """The account with this name, and whether this address is known to it."""
    found = await queries.account_and_address(connection, name_key, address, clock.now() - ADDRESS_REMEMBERED)
    return found or (None, False)


async def forget_old(connection: Connection, now: datetime, limit: int) -> int:
    """Forget up to `limit` addresses that have not signed in within `ADDRESS_REMEMBERED`. Returns how many."""
    return await queries.forget_addresses(connection, now - ADDRESS_REMEMBERED, limit)


async def count_old(connection: Connection, now: datetime) -> int:
    """The number of such addresses."""
    return await queries.count_addresses(connection, now - ADDRESS_REMEMBERED)
