"""Listing all accounts, and seeing one."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from auth_service.accounts.model import AccountNotFound
from auth_service.administration import queries
from auth_service.administration.model import Detail, Filter, Order
from auth_service.context import Context
from auth_service.directory.model import Account
from auth_service.directory.queries import account_of_id
from common import clock
from common.audit import Author
from common.places import Place


@dataclass(frozen=True, slots=True)
class Page:
    """Some accounts of a list, and the number of accounts in all of it; None: it was not counted."""

    accounts: list[Account]
    total: int | None


async def page_of_accounts(
    context: Context, author: Author, wanted: Filter, order: Order, after: Place | None, limit: int
) -> Page:
    """Up to `limit` accounts that come after a place; without one, with the number of all. Raises `Forbidden`."""
    author.require_administrator()
    find = queries.search_accounts if wanted.keyword else queries.list_accounts

    async def found() -> list[Account]:
        async with context.db.connection() as connection:
            return await find(connection, wanted, order, after, limit)

    async def total() -> int | None:
        if after:
            return None
        async with context.db.connection() as connection:
            return await queries.count_accounts(connection, wanted)

    return Page(*await asyncio.gather(found(), total()))


async def see_account(context: Context, author: Author, account_id: UUID) -> Detail:
    """An account. Raises `AccountNotFound`, `Forbidden`."""
    author.require_administrator()
    async with context.db.connection() as connection:
        account = await account_of_id(connection, account_id)
        if account is None:
            raise AccountNotFound
        return Detail(account, *await queries.credentials_of(connection, account_id, clock.now()))
