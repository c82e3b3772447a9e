"""What becomes of an account: its name, its password, its role, its end."""

from dataclasses import replace
from uuid import UUID

from auth_service.accounts import credentials
from auth_service.accounts import queries as erasures
from auth_service.context import Context
from auth_service.directory import names
from auth_service.directory import queries as accounts
from auth_service.directory.model import ERASURE_PASSES, Account, LastAdministrator, NameTaken
from auth_service.sessions import queries as sessions
from auth_service.sessions.opening import lock_own
from auth_service.sessions.signing_in import check_current
from common import clock
from common.db import Connection
from common.errors import Conflict, NotFound
from common.identity import Identity, Role, TokenRevoked

SERVICES = ["share", "upload", "chat"]
"""Who keeps things of accounts."""


class AccountNotFound(NotFound):
    """There is no such account."""

    code = "account_not_found"


class PasswordChangedMeanwhile(Conflict):
    """The password was changed by another request."""

    code = "password_changed"


async def own_account(context: Context, identity: Identity) -> Account:
    """The account behind `identity`. Raises `TokenRevoked` when it is gone."""
    async with context.db.connection() as connection:
        account = await accounts.account_of_id(connection, identity.account_id)
    if account is None:
        raise TokenRevoked
    return account


async def rename(context: Context, identity: Identity, name: str) -> Account:
    """Take another name; every session and key goes on under it.

    Raises `NameUnusable`, `NameTaken`, `CredentialsUnavailable`.
    """
    name = names.shown(name)
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        if not await accounts.rename(connection, account.id, name, names.key(name)):
            raise NameTaken
        renamed = replace(account, name=name)
        await credentials.tell_all(connection, context.cache, renamed)
    return renamed


async def change_password(context: Context, identity: Identity, current: str, new: str, address: str) -> None:
    """Take another password; all sessions but the present one end.

    Raises `WrongCurrentPassword`, `RateLimited`, `PasswordUnusable`, `PasswordChangedMeanwhile`.
    """
    account = await own_account(context, identity)
    await check_current(context, account, current, address)
    new_hash = await context.passwords.hash(new)
    async with context.db.transaction() as connection:
        await lock_own(connection, identity)
        if not await accounts.set_password(connection, account.id, account.password_hash, new_hash):
            raise PasswordChangedMeanwhile
        ended = await sessions.delete_sessions(connection, account.id, keep=identity.credential_id)
        await credentials.revoke(context.cache, ended)


async def set_role(context: Context, account_id: UUID, role: Role) -> Account:
    """Make an account an administrator, or a user. Raises `AccountNotFound`, `LastAdministrator`."""
    async with context.db.transaction() as connection:
        account = await _lock_as_administrator(connection, account_id)
        if account.role is role:
            return account
        await _keep_an_administrator(connection, account)
        await accounts.set_role(connection, account_id, role)
        changed = replace(account, role=role)
        await credentials.tell_all(connection, context.cache, changed)
    return changed


async def delete_own(context: Context, identity: Identity, password: str, address: str) -> None:
    """Delete one's own account. Raises `WrongCurrentPassword`, `RateLimited`, `LastAdministrator`."""
    account = await own_account(context, identity)
    await check_current(context, account, password, address)
    await delete(context, account.id)


async def delete(context: Context, account_id: UUID) -> None:
    """Delete an account: nobody is signed in to it any more, its name is free, and what was its is to be erased.

    Raises `AccountNotFound`, `LastAdministrator`, `CredentialsUnavailable`.
    """
    async with context.db.transaction() as connection:
        account = await _lock_as_administrator(connection, account_id)
        await _keep_an_administrator(connection, account)
        await erasures.insert_erasures(connection, account_id, SERVICES, ERASURE_PASSES, clock.now())
        await credentials.revoke_all(connection, context.cache, account_id)
        await accounts.delete_account(connection, account_id)
    await context.request_erasure()


async def _lock_as_administrator(connection: Connection, account_id: UUID) -> Account:
    await accounts.lock_administrators(connection)
    account = await accounts.lock_account(connection, account_id)
    if account is None:
        raise AccountNotFound
    return account


async def _keep_an_administrator(connection: Connection, account: Account) -> None:
    if account.role is Role.ADMINISTRATOR and await accounts.count_administrators(connection) == 1:
        raise LastAdministrator
