"""Use cases of administrators: to give an account limits of its own, and to take them back."""

from dataclasses import asdict
from uuid import UUID

from common.audit import Act, Author
from common.audit_log import record
from common.errors import NotFound
from upload_service.content.context import Context
from upload_service.quotas import queries
from upload_service.quotas.model import Most


class AccountNotFound(NotFound):
    """There is no account with this id."""

    code = "account_not_found"


async def set_limits(context: Context, author: Author, account: UUID, limits: Most) -> None:
    """Give the account these limits in place of the policy's. Raises `Forbidden`, `AccountNotFound`, `Unavailable`."""
    author.require_administrator()
    if not await context.directory.exists(account):
        raise AccountNotFound
    await _change(context, author, account, limits)
    # An account that was deleted meanwhile may have been erased here before it got its limits.
    if not await context.directory.exists(account):
        await delete_limits(context, author, account)
        raise AccountNotFound


async def delete_limits(context: Context, author: Author, account: UUID) -> None:
    """Let the policy's limits hold for the account again. Raises `Forbidden`."""
    await _change(context, author, account, None)


async def _change(context: Context, author: Author, account: UUID, limits: Most | None) -> None:
    author.require_administrator()
    async with context.db.transaction() as connection:
        before = await queries.own_limits(connection, account)
        if before == limits:
            return
        if limits:
            await queries.set_limits(connection, account, limits)
        else:
            await queries.delete_limits(connection, account)
        old, new = (asdict(most) if most else None for most in (before, limits))
        await record(connection, author, [Act("quota.change", "account", str(account), old=old, new=new)])
