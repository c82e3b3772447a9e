"""Signing in by name and password."""

from dataclasses import replace

from auth_service.context import Context
from auth_service.directory import queries as accounts
from auth_service.directory.model import Account
from auth_service.sessions import known_addresses
from auth_service.sessions.model import AccountSuspended, Grant, OpenedSession, WrongPassword
from auth_service.sessions.opening import open_sessions
from auth_service.sessions.passwords import Attempt, check_attempt
from common import clock


async def log_in(context: Context, attempt: Attempt, *grants: Grant) -> tuple[OpenedSession, ...]:
    """Open sessions for a caller who knows the account's password.

    Raises `UnknownName` and `WrongPassword`, both after the same time, `AccountSuspended` after the right password,
    `RateLimited`, `PasswordUnusable`.
    """
    account = await check_attempt(context, attempt)
    account = await _rehash(context, account, attempt.password)
    async with context.db.transaction() as connection:
        present = await accounts.lock_account(connection, account.id)
        if present is None or present.password_hash != account.password_hash:
            # It changed during the check: sessions opened with the old password have ended, and so would this one.
            raise WrongPassword
        if present.is_suspended:
            raise AccountSuspended
        await known_addresses.remember(connection, account.id, attempt.address)
        return await open_sessions(context, connection, present, grants, clock.now())


async def _rehash(context: Context, account: Account, password: str) -> Account:
    """Hash the password with today's parameters, if it was hashed with others."""
    if not context.passwords.is_outdated(account.password_hash):
        return account
    new_hash = await context.passwords.hash(password)
    async with context.db.connection() as connection:
        if await accounts.set_password(connection, account.id, account.password_hash, new_hash):
            return replace(account, password_hash=new_hash)
        present = await accounts.account_of_id(connection, account.id)
    # Another sign-in may have hashed the same password a moment earlier.
    if present and await context.passwords.matches(present.password_hash, password):
        return present
    return account
