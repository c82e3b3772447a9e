"""Checking the passwords of shares."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from common.errors import Unauthenticated
from share_service.context import Context
from share_service.downloads.keys import DownloadKey

ADDRESS_COUNT = 10
"""Wrong passwords allowed for a share per client address in `PERIOD`."""
SHARE_COUNT = 200
"""Wrong passwords for a share from all addresses together in `PERIOD` after which each gets one more try."""
PERIOD = timedelta(minutes=10)


class PasswordMissing(Unauthenticated):
    """A password is needed."""

    code = "share_password_missing"
    challenge = 'Basic realm="share"'


class PasswordWrong(Unauthenticated):
    """The password is wrong."""

    code = "share_password_wrong"
    challenge = 'Basic realm="share"'


@dataclass(frozen=True, slots=True)
class Proof:
    """The means that a client shows to open a share with a password."""

    address: str
    """The client's address, by which wrong passwords are counted."""
    password: str | None = None
    key: DownloadKey | None = None
    """The client's download key, which stands for the password that it was given out for."""


async def check_password(context: Context, share_id: UUID, hashed: str | None, proof: Proof) -> None:
    """Return if the share has no password (`hashed` is None), or if the proof opens it.

    Raises `PasswordMissing`, `PasswordWrong`, `RateLimited`, `LimiterUnavailable`, `HasherBusy`.
    """
    if hashed is None or (proof.key and proof.key.opens(hashed)):
        return
    if not proof.password:
        raise PasswordMissing
    await context.passwords.check(share_id.hex, hashed, proof.password, proof.address, PasswordWrong)
