"""Passwords, hashed with Argon2id (RFC 9106) on a few threads. Few at a time, because each hash takes much memory."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from common.errors import InvalidInput, Unavailable
from common.foreign_passwords import DIGESTED, UNKNOWN, ForeignHash, digest_of

PASSWORD_BYTES = 1024
# The parameters that OWASP recommends: 19 MiB, two passes, one lane. A hash takes about 25 ms of one processor.
MEMORY_KIB, PASSES, LANES = 19 * 1024, 2, 1
AT_ONCE = 2
# While this many checks wait, further ones are refused, so that a flood does not make everybody wait for minutes.
LINE = 64

Args = ParamSpec("Args")
Result = TypeVar("Result")


class PasswordUnusable(InvalidInput):
    """A password has 1 to 1024 bytes of valid Unicode."""

    code = "password_unusable"


class HasherBusy(Unavailable):
    """Too many passwords are being checked."""


class Passwords:
    """Hashes passwords and compares them with hashes."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(
            time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=32, salt_len=16, type=Type.ID
        )
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0
        # Used if there is no hash, so that the answer takes equally long.
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        """A hash in PHC string format. Raises `PasswordUnusable`, `HasherBusy`."""
        return await self._run(self._hasher.hash, normalised(password))

    async def hash_digest(self, digest: str) -> str:
        """A hash for a password of which another system kept only the SHA-256, in hex. Raises `HasherBusy`."""
        return DIGESTED + await self._run(self._hasher.hash, digest)

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Whether `hashed` was made from this password. Without a hash it returns False after the same time.

        Only a hash that another system made takes longer (ADR 60).

        Raises `PasswordUnusable`, `HasherBusy`.
        """
        encoded = normalised(password)
        known = None if hashed == UNKNOWN else hashed
        if known and (foreign := ForeignHash.parse(known)):
            return await self._run(foreign.matches, password)
        if known and known.startswith(DIGESTED):
            known, encoded = known.removeprefix(DIGESTED), digest_of(password).encode()
        same = await self._run(self._verify, known or self._nobody, encoded)
        return same and known is not None

    def is_outdated(self, hashed: str) -> bool:
        """Whether the hash was made by another system, or with other parameters than the current ones."""
        return ForeignHash.parse(hashed) is not None or self._hasher.check_needs_rehash(hashed)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, hashed: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerifyMismatchError, InvalidHashError):
            return False

    async def _run(self, work: Callable[Args, Result], *values: Args.args, **named: Args.kwargs) -> Result:
        if self._waiting >= LINE:
            raise HasherBusy
        self._waiting += 1
        try:
            run = partial(work, *values, **named)
            return await asyncio.get_running_loop().run_in_executor(self._threads, run)
        finally:
            self._waiting -= 1


def normalised(password: str) -> bytes:
    """The bytes to hash. Passwords that look equal give equal bytes (NFC, RFC 8265). Raises `PasswordUnusable`."""
    # The length is checked first, so that a password of megabytes costs nothing.
    if not 0 < len(password) <= PASSWORD_BYTES:
        raise PasswordUnusable
    try:
        encoded = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        raise PasswordUnusable from None
    if len(encoded) > PASSWORD_BYTES:
        raise PasswordUnusable
    return encoded
