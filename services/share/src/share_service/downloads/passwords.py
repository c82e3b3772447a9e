"""Passwords of shares: who shows what, and how often a wrong one may be tried.

A try is counted before the password is checked and given back when it was right, so that tries sent in parallel cannot
slip past the count. The windows are not prolonged by further tries, so nobody is kept out for longer than one of them.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from fastapi import Request

from common import logging
from common.addresses import limit_key
from common.errors import Unauthenticated
from common.identities import basic_pair
from common.identity import CredentialsMalformed
from common.limits import Budget, Limiter, LimiterUnavailable
from common.passwords import Passwords, PasswordUnusable

ADDRESS_COUNT = 10
"""Wrong passwords that a share bears from one address."""
SHARE_COUNT = 200
"""Wrong passwords that a share bears from everywhere."""
PERIOD = timedelta(minutes=10)
HEADER = "X-Share-Password"


class PasswordMissing(Unauthenticated):
    """A password is needed."""

    code = "share_password_missing"
    challenge = 'Basic realm="share"'


class PasswordWrong(Unauthenticated):
    """The password is wrong."""

    code = "share_password_wrong"
    challenge = 'Basic realm="share"'


class HeaderPasswordWrong(PasswordWrong):
    """The password is wrong."""

    # `Basic` would make a browser ask in the page's place, and carries API keys in the native API.
    challenge = f'{HEADER} realm="share"'


@dataclass(frozen=True, slots=True)
class Proof:
    """What someone shows who asks for a share that may have a password."""

    address: str
    password: str | None = None
    has_key: bool = False
    """Whether they were given a download key for the password before."""


class SharePasswords:
    """Checks passwords within their budgets."""

    def __init__(self, limiter: Limiter, passwords: Passwords) -> None:
        self._passwords = passwords
        self._address = limiter.budget("share-password-address", ADDRESS_COUNT, PERIOD)
        self._share = limiter.budget("share-password", SHARE_COUNT, PERIOD)

    async def hash(self, password: str) -> str:
        """What is kept of a password. Raises `PasswordUnusable`, `HasherBusy`."""
        return await self._passwords.hash(password)

    async def check(self, share_id: UUID, hashed: str | None, proof: Proof) -> None:
        """Return if the share has no password, or if it is shown.

        Raises `PasswordMissing`, `PasswordWrong`, `RateLimited`, `LimiterUnavailable`, `HasherBusy`.
        """
        if hashed is None or proof.has_key:
            return
        if not proof.password:
            raise PasswordMissing
        address = f"{share_id.hex}:{limit_key(proof.address)}"
        async with AsyncExitStack() as taken:
            for budget, key in ((self._address, address), (self._share, share_id.hex)):
                await budget.take(key)
                taken.push_async_callback(_give_back, budget, key)
            if not await self._matches(hashed, proof.password):
                taken.pop_all()
                raise PasswordWrong

    async def _matches(self, hashed: str, password: str) -> bool:
        try:
            return await self._passwords.matches(hashed, password)
        except PasswordUnusable:
            # No share can have such a password.
            return False


def proof_of(request: Request, password: str | None) -> Proof:
    """What the request shows, with this password."""
    return Proof(request.client.host if request.client else "unknown", password)


def shown_password(request: Request) -> str | None:
    """The password in the request's headers: `X-Share-Password`, or `Authorization: Basic` with any user name."""
    header = password_header(request)
    if header is not None:
        return header
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return basic_pair(value.strip())[1]
    except CredentialsMalformed:
        return None


def password_header(request: Request) -> str | None:
    """The password in the header `X-Share-Password`, which is UTF-8."""
    value = request.headers.get(HEADER)
    if value is None:
        return None
    # The framework reads headers as Latin-1.
    return value.encode("latin-1").decode(errors="replace")


async def _give_back(budget: Budget, key: str) -> None:
    try:
        await budget.give_back(key)
    except LimiterUnavailable:
        # The answer stands; the count stays until its window is over.
        logging.get(__name__).warning("a right password could not be given back")
