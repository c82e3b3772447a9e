"""Changing an account: its name, its password, its role."""

from dataclasses import replace
from uuid import UUID

from auth_service.accounts import credentials
from auth_service.accounts.administrators import keep_an_administrator, lock_as_administrator
from auth_service.accounts.model import NameTaken, PasswordChangedMeanwhile
from auth_service.context import Context
from auth_service.directory import names, queries
from auth_service.directory.lookups import lock_own, own_account
from auth_service.directory.model import Account
from auth_service.sessions.passwords import check_current
from auth_service.sessions.revoking import end_all_but
from common.identity import Identity, Role


async def rename(context: Context, identity: Identity, name: str) -> Account:
    """Give the account another name; all its sessions and keys continue under it.

    Raises `NameUnusable`, `NameTaken`, `TokenRevoked`, `CredentialsUnavailable`.
    """
    name = names.shown(name)
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        if not await queries.rename(connection, account.id, name, names.key(name)):
            raise NameTaken
        renamed = replace(account, name=name)
        await credentials.update_all(context, connection, renamed)
    return renamed


async def change_password(context: Context, identity: Identity, current: str, new: str, address: str) -> None:
    """Give the account another password; all sessions but the present one end.

    Raises `WrongCurrentPassword`, `RateLimited`, `PasswordUnusable`, `PasswordChangedMeanwhile`, `TokenRevoked`,
    `CredentialsUnavailable`.
    """
    account = await own_account(context, identity)
    await check_current(context, account, current, address)
    new_hash = await context.passwords.hash(new)
    async with context.db.transaction() as connection:
        await lock_own(connection, identity)
        if not await queries.set_password(connection, account.id, account.password_hash, new_hash):
            raise PasswordChangedMeanwhile
        await end_all_but(context, connection, account.id, identity.credential_id)


async def set_role(context: Context, account_id: UUID, role: Role) -> Account:
    """Make an account an administrator, or a user again.

    Raises `AccountNotFound`, `LastAdministrator`, `CredentialsUnavailable`.
    """
    async with context.db.transaction() as connection:
        account = await lock_as_administrator(connection, account_id)
        if account.role is role:
            return account
        await keep_an_administrator(connection, account)
        await queries.set_role(connection, account_id, role)
        changed = replace(account, role=role)
        await credentials.update_all(context, connection, changed)
    return changed
