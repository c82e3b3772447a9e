"""The profile that Mirage's pages show, and the settings that its owner changes there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from auth_service.accounts.model import PICTURE_ADDRESS_LENGTH, AddressTooLong, EmailTaken
from auth_service.context import Context
from auth_service.directory import names, queries
from auth_service.directory.lookups import lock_own
from auth_service.sessions.revoking import end_all_but
from common.errors import InvalidInput
from common.identity import Identity


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """The values that are to be changed. None: left as it is. `profile`: values by their names."""

    email: str | None = None
    password: str | None = None
    profile: Mapping[str, str] = field(default_factory=dict[str, str])


async def change_settings(context: Context, identity: Identity, change: SettingsChange) -> None:
    """Change all of these values or none. A new password ends every other session, as it does everywhere.

    The present password is not asked for, because the protocol has no place for it. Raises `EmailUnusable`,
    `EmailTaken`, `PasswordUnusable`, `AddressTooLong`, `InvalidInput`, `TokenRevoked`, `CredentialsUnavailable`.
    """
    check_profile(change.profile)
    email = None if change.email is None else names.email(change.email)
    new_hash = None if change.password is None else await context.passwords.hash(change.password)
    async with context.db.transaction() as connection:
        account = await lock_own(connection, identity)
        if email and not await queries.set_email(connection, account.id, email, names.key(email)):
            raise EmailTaken
        if change.profile:
            await queries.change_profile(connection, account.id, change.profile)
        if new_hash:
            await queries.set_password(connection, account.id, account.password_hash, new_hash)
            await end_all_but(context, connection, account.id, identity.credential_id)


def check_profile(profile: Mapping[str, str]) -> None:
    """Raise `InvalidInput` for values that cannot be stored, `AddressTooLong` for a picture's address."""
    if any("\0" in text for text in profile.values()):
        raise InvalidInput("a NUL cannot be kept")
    if len(profile.get("avatar_url", "")) > PICTURE_ADDRESS_LENGTH:
        raise AddressTooLong
