"""Looking up accounts."""

from collections.abc import Sequence
from uuid import UUID

from auth_service.context import Context
from auth_service.directory import names, queries
from auth_service.directory.model import Account
from common.db import Connection
from common.identity import Identity, TokenRevoked
from common.pages import Cursor


async def own_account(context: Context, identity: Identity) -> Account:
    """The account behind `identity`. Raises `TokenRevoked` when it was deleted or suspended."""
    async with context.db.connection() as connection:
        account = await queries.account_of_id(connection, identity.account_id)
    if account is None or account.is_suspended:
        raise TokenRevoked
    return account


async def lock_own(connection: Connection, identity: Identity) -> Account:
    """The account behind `identity`, locked until the transaction ends.

    Raises `TokenRevoked` when it was deleted or suspended.
    """
    account = await queries.lock_account(connection, identity.account_id)
    if account is None or account.is_suspended:
        raise TokenRevoked
    return account


async def find_standing(context: Context, account_id: UUID) -> tuple[bool, bool]:
    """Whether the account is suspended, and whether it is an administrator's. One that does not exist is neither."""
    async with context.db.connection() as connection:
        account = await queries.account_of_id(connection, account_id)
    return account is not None and account.is_suspended, account is not None and account.may_administer


async def find_account(context: Context, name: str) -> Account | None:
    """The account of this name, in any spelling of it; None when there is none."""
    async with context.db.connection() as connection:
        return await queries.account_of_name(connection, names.lookup_key(name))


async def find_accounts(context: Context, account_ids: Sequence[UUID]) -> list[Account]:
    """Those of these accounts that exist, in no particular order."""
    async with context.db.connection() as connection:
        return await queries.accounts_of_ids(connection, account_ids)


async def count_accounts(context: Context) -> int:
    """The number of accounts."""
    async with context.db.connection() as connection:
        return await queries.count_accounts(connection)


async def list_accounts(context: Context, after: Cursor | None, limit: int) -> tuple[list[Account], Cursor | None]:
    """A page of at most `limit` accounts, the newest first, and the cursor of the next page if there is one."""
    async with context.db.connection() as connection:
        found = await queries.list_accounts(connection, after, limit + 1)
    page = found[:limit]
    return page, Cursor(page[-1].created_at, page[-1].id) if len(found) > limit else None
