"""What others see of an account, and what its owner says there: the profile that Mirage's pages show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from auth_service.accounts import credentials
from auth_service.context import Context
from auth_service.directory import names
from auth_service.directory import queries as accounts
from auth_service.directory.model import Account, EmailTaken
from auth_service.sessions import queries as sessions
from auth_service.sessions.opening import lock_own
from common.errors import InvalidInput
from common.identity import Identity

# An address of a picture goes out with every message of its owner.
ADDRESS_LENGTH = 8192


class AddressTooLong(InvalidInput):
    """The address of a picture has 8192 characters at most."""

    code = "address_too_long"


@dataclass(frozen=True, slots=True)
class Settings:
    """What is to be changed. None: left as it is. `profile`: values by their names."""

    email: str | None = None
    password: str | None = None
    profile: Mapping[str, str] = field(default_factory=dict[str, str])


async def find_account(context: Context, name: str) -> Account | None:
    """The account of this name, however it is written; None: there is none."""
    async with context.db.connection() as connection:
        return await accounts.account_of_name(connection, names.lookup_key(name))


async def accounts_of(context: Context, account_ids: Sequence[UUID]) -> list[Account]:
    """Those of these accounts that there are, in no order."""
    async with context.db.connection() as connection:
        return await accounts.accounts_of_ids(connection, account_ids)


async def count_accounts(context: Context) -> int:
    """How many accounts there are."""
    async with context.db.connection() as connection:
        return await accounts.count_accounts(connection)


async def change_settings(context: Context, identity: Identity, settings: Settings) -> None:
    """Change all of this or nothing. A new password ends every other session, as it does everywhere.

    The present password is not asked for: the protocol has no place for it. Raises `EmailUnusable`, `EmailTaken`,
    `PasswordUnusable`, `AddressTooLong`, `InvalidInput`, `TokenRevoked`, `CredentialsUnavailable`.
    """
    check_profile(settings.profile)
    email = None if settings.email is None else names.email(settings.email)
    new_hash = None if settings.password is None else await context.passwords.hash(settings.password)
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        if email and not await accounts.set_email(connection, account.id, email, names.key(email)):
            raise EmailTaken
        if settings.profile:
            await accounts.change_profile(connection, account.id, settings.profile)
        if new_hash:
            await accounts.set_password(connection, account.id, account.password_hash, new_hash)
            ended = await sessions.delete_sessions(connection, account.id, keep=identity.credential_id)
            await credentials.revoke(context.cache, ended)


def check_profile(profile: Mapping[str, str]) -> None:
    """Raise `InvalidInput` for what cannot be kept, `AddressTooLong` for what is not handed out to everybody."""
    if any("\0" in text for text in profile.values()):
        raise InvalidInput("a NUL cannot be kept")
    if len(profile.get("avatar_url", "")) > ADDRESS_LENGTH:
        raise AddressTooLong
