"""The rule that there is always an administrator."""

from uuid import UUID

from auth_service.accounts.model import AccountNotFound, LastAdministrator
from auth_service.directory import queries
from auth_service.directory.model import Account
from common.db import Connection
from common.identity import Role


async def lock_as_administrator(connection: Connection, account_id: UUID) -> Account:
    """The account, locked together with the number of administrators. Raises `AccountNotFound`."""
    await queries.lock_administrators(connection)
    account = await queries.lock_account(connection, account_id)
    if account is None:
        raise AccountNotFound
    return account


async def keep_an_administrator(connection: Connection, account: Account) -> None:
    """Raise `LastAdministrator` if this account is the only administrator."""
    if account.role is Role.ADMINISTRATOR and await queries.count_administrators(connection) == 1:
        raise LastAdministrator
