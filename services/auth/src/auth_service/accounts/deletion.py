"""Deleting an account."""

from uuid import UUID

from auth_service.accounts import credentials, queries
from auth_service.accounts.administrators import keep_an_administrator, lock_as_administrator, lock_for_removal
from auth_service.accounts.model import ERASURE_PASSES, KEEPERS
from auth_service.context import Context
from auth_service.directory import queries as accounts
from auth_service.directory.lookups import own_account
from auth_service.sessions.passwords import check_current
from common import clock, logging
from common.audit import Act, Author
from common.audit_log import record
from common.errors import DomainError
from common.identity import Identity


async def delete_own(context: Context, identity: Identity, password: str, address: str) -> None:
    """Delete the caller's own account.

    Raises `WrongCurrentPassword`, `RateLimited`, `TokenRevoked` and what `_delete` raises.
    """
    account = await own_account(context, identity)
    await check_current(context, account, password, address)
    await _delete(context, account.id, None)


async def delete_account(context: Context, author: Author, account_id: UUID) -> None:
    """Delete anybody's account.

    Raises `Forbidden`, `AccountNotFound`, `LastAdministrator`, `CredentialsUnavailable`.
    """
    author.require_administrator()
    await _delete(context, account_id, author)


async def _delete(context: Context, account_id: UUID, administrator: Author | None) -> None:
    """Delete an account with its credentials and shares, free its name, and have the other services erase its data.

    `administrator`: the one who does so, if it is not the owner. Raises `Forbidden`, `AccountNotFound`,
    `LastAdministrator`, `CredentialsUnavailable`.
    """
    async with context.db.transaction() as connection:
        if administrator:
            account = await lock_as_administrator(connection, administrator, account_id)
        else:
            account = await lock_for_removal(connection, account_id)
        await keep_an_administrator(connection, account)
        await queries.insert_erasures(connection, account_id, KEEPERS, ERASURE_PASSES, clock.now())
        await credentials.revoke_all(context, connection, account_id)
        await accounts.delete_account(connection, account_id)
        if administrator:
            act = Act("account.delete", "account", str(account_id), account.name, old={"role": account.role})
            await record(connection, administrator, [act])
    await _end_shares(context, account_id)
    await context.request_erasure()


async def _end_shares(context: Context, account_id: UUID) -> None:
    """End the account's shares before its deletion is answered, so that nothing of it is served afterwards.

    A service that does not answer is told by the sweep, like the others.
    """
    try:
        await context.share.call("DELETE", f"/internal/accounts/{account_id}")
    except DomainError as error:
        logging.get(__name__).warning("an account's shares are left to the sweep", error=error.code)
