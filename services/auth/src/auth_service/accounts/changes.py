"""Changing an account: its name, its password."""

from dataclasses import dataclass, replace
from uuid import UUID

from auth_service.accounts import credentials
from auth_service.accounts.model import AccountNotFound, NameTaken, PasswordChangedMeanwhile
from auth_service.context import Context
from auth_service.directory import names, queries
from auth_service.directory.lookups import lock_own, own_account
from auth_service.directory.model import Account
from auth_service.keys import queries as keys
from auth_service.keys.model import ApiKey
from auth_service.sessions import queries as sessions
from auth_service.sessions.passwords import Attempt, check_current
from auth_service.sessions.revoking import end_all, end_all_but
from common.audit import Act, Author
from common.audit_log import record
from common.identity import Identity, Role
from common.lookalikes import skeleton


@dataclass(frozen=True, slots=True)
class Origin:
    """The session, the address and the request by which another service was asked for something."""

    credential_id: UUID
    address: str
    request_id: str | None


async def rename(context: Context, identity: Identity, name: str) -> Account:
    """Give the account another name; all its sessions and keys continue under it.

    Raises `NameUnusable`, `NameTaken`, `TokenRevoked`, `CredentialsUnavailable`.
    """
    name = names.shown(name)
    if names.is_reserved(name) and not identity.is_administrator:
        raise NameTaken
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        if not await queries.rename(connection, account.id, name, names.key(name), skeleton(name)):
            raise NameTaken
        renamed = replace(account, name=name)
        await credentials.update_all(context, connection, renamed)
    return renamed


async def change_password(
    context: Context, author: Author, current: Attempt, new: str, *, end_keys: bool = False
) -> list[ApiKey]:
    """Give the account another password; all sessions but the present one end, and if `end_keys`, its API keys.

    `current`: the present password. Returns the keys that are left.

    Raises `WrongCurrentPassword`, `RateLimited`, `PasswordUnusable`, `PasswordChangedMeanwhile`, `TokenRevoked`,
    `CredentialsUnavailable`.
    """
    identity = author.identity
    account = await own_account(context, identity)
    await check_current(context, account, current.password, current.address)
    new_hash = await context.passwords.hash(new)
    async with context.db.transaction() as connection:
        await lock_own(connection, identity)
        if not await queries.set_password(connection, account.id, account.password_hash, new_hash):
            raise PasswordChangedMeanwhile
        await end_all_but(context, connection, account.id, identity.credential_id)
        found = await keys.keys_of_account(connection, account.id)
        if not end_keys:
            return found
        for key in found:
            await keys.delete_key(connection, key.id)
        await record(connection, author, [Act("key.delete", "key", str(key.id), key.name) for key in found])
        await context.cache.revoke([key.credential_name for key in found])
    return []


async def replace_password(context: Context, account_id: UUID, origin: Origin, new: str) -> None:
    """Give an administrator's account another password, on behalf of one of its sessions; all its sessions end.

    Raises `AccountNotFound` if it is no administrator's account, or the session has ended meanwhile,
    `PasswordUnusable`, `CredentialsUnavailable`.
    """
    new_hash = await context.passwords.hash(new)
    async with context.db.transaction() as connection:
        account = await queries.lock_account(connection, account_id)
        if account is None or account.role is not Role.ADMINISTRATOR:
            raise AccountNotFound
        identity = await sessions.identity_of_session(connection, origin.credential_id)
        if identity is None or identity.account_id != account.id:
            raise AccountNotFound
        await queries.set_password(connection, account.id, account.password_hash, new_hash)
        author = Author(identity, origin.address, origin.request_id)
        await record(connection, author, [Act("account.password", "account", str(account.id), account.name)])
        await end_all(context, connection, account.id)
