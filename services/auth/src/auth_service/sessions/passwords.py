"""Checking the passwords of accounts, and counting the wrong ones.

A try is counted before the password is checked and given back unless the password was wrong. A window ends a fixed time
after its first wrong password, however many follow. Names that no account has are counted like others, so that a
refusal does not reveal whether an account exists.
"""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from auth_service.context import Context
from auth_service.directory import names
from auth_service.directory.model import Account
from auth_service.sessions import known_addresses
from auth_service.sessions.model import UnknownName, WrongCredentials, WrongCurrentPassword, WrongPassword
from common.credentials import digest
from common.limits import counted_try


@dataclass(frozen=True, slots=True)
class Attempt:
    """A name and a password, as a client at `address` sent them."""

    name: str
    password: str
    address: str


async def check_attempt(context: Context, attempt: Attempt) -> Account:
    """The account that has this name and password.

    Raises `UnknownName` and `WrongPassword`, both after the same time unless the account was imported and has not been
    used since, `RateLimited`, `PasswordUnusable`.
    """
    key = names.lookup_key(attempt.name)
    async with context.db.connection() as connection:
        account, is_known = await known_addresses.find_account(connection, key, attempt.address)
    async with _counted(context, key, attempt.address, is_known=is_known):
        if not await context.passwords.matches(account.password_hash if account else None, attempt.password):
            raise WrongPassword if account else UnknownName
    assert account is not None
    return account


async def check_current(context: Context, account: Account, password: str, address: str) -> None:
    """Raise `WrongCurrentPassword` unless this is the account's password. Wrong ones count as when signing in."""
    async with context.db.connection() as connection:
        is_known = await known_addresses.is_known(connection, account.id, address)
    async with _counted(context, names.key(account.name), address, is_known=is_known):
        if not await context.passwords.matches(account.password_hash, password):
            raise WrongCurrentPassword


def _counted(context: Context, name_key: str, address: str, *, is_known: bool) -> AbstractAsyncContextManager[None]:
    account, budgets = digest(name_key).hex(), context.wrong_passwords
    of_account = (budgets.of_known_address, f"{account}:{address}") if is_known else (budgets.of_account, account)
    failures = (WrongCredentials, WrongCurrentPassword)
    return counted_try([(budgets.of_address, address), of_account], failures)
