"""Signing in by name and password."""

from dataclasses import dataclass, replace
from uuid import UUID

from auth_service.context import Context
from auth_service.directory import names
from auth_service.directory import queries as accounts
from auth_service.directory.model import Account, SignedIn, UnknownName, WrongCurrentPassword, WrongPassword
from auth_service.sessions import known_addresses
from auth_service.sessions.opening import Grant, open_sessions
from common import clock

# Asked for where there is no account, so that the answer takes as long.
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A name and a password, as someone sends them. `address`: where they are."""

    name: str
    password: str
    address: str


async def log_in(context: Context, attempt: Attempt, *grants: Grant) -> tuple[SignedIn, ...]:
    """Open sessions for who knows the account's password.

    Raises `UnknownName` and `WrongPassword`, after the same time, `RateLimited`, `PasswordUnusable`.
    """
    account = await _prove(context, attempt)
    account = await _rehash(context, account, attempt.password)
    async with context.db.transaction() as connection:
        present = await accounts.lock_account(connection, account.id)
        if present is None or present.password_hash != account.password_hash:
            # Changed while it was being checked: sessions by the old password have ended, and so would this one.
            raise WrongPassword
        await known_addresses.remember(connection, account.id, attempt.address)
        return await open_sessions(context, connection, present, grants, clock.now())


async def check_current(context: Context, account: Account, password: str, address: str) -> None:
    """Raise `WrongCurrentPassword` unless this is the account's password. Wrong ones count as when signing in."""
    async with context.db.connection() as connection:
        is_known = await known_addresses.is_known(connection, account.id, address)
    async with context.failures.counted(names.key(account.name), address, is_known=is_known):
        if not await context.passwords.matches(account.password_hash, password):
            raise WrongCurrentPassword


async def _prove(context: Context, attempt: Attempt) -> Account:
    key = names.lookup_key(attempt.name)
    async with context.db.connection() as connection:
        account = await accounts.account_of_name(connection, key)
        is_known = await known_addresses.is_known(connection, account.id if account else _NOBODY, attempt.address)
    async with context.failures.counted(key, attempt.address, is_known=is_known):
        if not await context.passwords.matches(account.password_hash if account else None, attempt.password):
            raise WrongPassword if account else UnknownName
    assert account is not None
    return account


async def _rehash(context: Context, account: Account, password: str) -> Account:
    """Hash the password with today's parameters, if it was hashed with others."""
    if not context.passwords.is_outdated(account.password_hash):
        return account
    new_hash = await context.passwords.hash(password)
    async with context.db.connection() as connection:
        if await accounts.set_password(connection, account.id, account.password_hash, new_hash):
            return replace(account, password_hash=new_hash)
    return account
