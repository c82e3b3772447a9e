"""The errors of registering and changing accounts, and the erasure of what deleted accounts leave behind."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from common.errors import Conflict, Forbidden, InvalidInput, NotFound

NATIVE_PASSWORD_LENGTH = 8
# The address of a picture goes out with every message of its owner.
PICTURE_ADDRESS_LENGTH = 8192

KEEPERS = ["share", "upload", "chat"]
"""The services that keep data of accounts."""
ERASURE_PASSES = 2
# The pause between the passes is longer than a client that was let in before can continue any upload session.
ERASURE_PAUSE = timedelta(hours=1)
# An erasure that failed, or whose worker died, is tried again after this.
ERASURE_RETRY = timedelta(seconds=20)


class NameTaken(Conflict):
    """This name is taken."""

    code = "name_taken"


class EmailTaken(Conflict):
    """This e-mail address belongs to another account."""

    code = "email_taken"


class RegistrationClosed(Forbidden):
    """Registration is closed."""

    code = "registration_closed"


class PasswordTooShort(InvalidInput):
    """The password is too short: it needs at least 8 characters."""

    code = "password_too_short"


class PasswordChangedMeanwhile(Conflict):
    """Another request has changed the password meanwhile."""

    code = "password_changed"


class AccountNotFound(NotFound):
    """There is no such account."""

    code = "account_not_found"


class LastAdministrator(Conflict):
    """The last administrator must remain one."""

    code = "last_administrator"


class AddressTooLong(InvalidInput):
    """The address of a picture has 8192 characters at most."""

    code = "address_too_long"


@dataclass(frozen=True, slots=True)
class Erasure:
    """The data of a deleted account that one service has yet to erase."""

    account_id: UUID
    service: str
    passes_left: int


@dataclass(frozen=True, slots=True)
class ImportedAccount:
    """The account that one of another system became. `account_id` None: it was deleted here since."""

    account_id: UUID | None
    name: str
    has_password: bool
    """Whether its owner can sign in. Otherwise an administrator makes a link for a new password."""
    is_new: bool = False
    """Whether it was imported just now."""
    has_email: bool = True
    """False: the address belongs to another account, or is none."""


def check_length(password: str) -> None:
    """Raise `PasswordTooShort`. Only the native API asks for a length: the clients of the dialects know of none."""
    if len(password) < NATIVE_PASSWORD_LENGTH:
        raise PasswordTooShort
