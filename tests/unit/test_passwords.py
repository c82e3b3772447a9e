"""Hashing and comparing passwords."""

import asyncio
import hashlib
import statistics
import time
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from common import passwords
from common.foreign_passwords import ForeignHash
from common.passwords import HasherBusy, Passwords, PasswordUnusable

pytestmark = pytest.mark.usefixtures("costly_passwords")


@pytest.fixture
def hasher() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


async def test_a_password_matches_only_its_own_hash(hasher: Passwords) -> None:
    hashed = await hasher.hash("correct horse")
    assert await hasher.matches(hashed, "correct horse")
    assert not await hasher.matches(hashed, "correct horse ")
    assert await hasher.hash("correct horse") != hashed


async def test_passwords_that_look_the_same_match(hasher: Passwords) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    assert await hasher.matches(await hasher.hash(composed), decomposed)


async def test_hashes_are_argon2id_with_the_recommended_cost(hasher: Passwords) -> None:
    found = extract_parameters(await hasher.hash("x"))
    assert found.type is Type.ID
    assert (found.memory_cost, found.time_cost, found.parallelism) == (19 * 1024, 2, 1)


async def test_a_hash_with_other_parameters_is_outdated_but_matches(hasher: Passwords) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash("x")
    assert hasher.is_outdated(old)
    assert await hasher.matches(old, "x")
    assert not hasher.is_outdated(await hasher.hash("x"))


@pytest.mark.parametrize("password", ["", "x" * 1025, "\u00e9" * 513, "\ud800", "x" * 1024 * 1024])
async def test_an_unusable_password_is_refused_before_it_is_hashed(hasher: Passwords, password: str) -> None:
    with pytest.raises(PasswordUnusable):
        await hasher.hash(password)
    with pytest.raises(PasswordUnusable):
        await hasher.matches(None, password)


async def test_a_malformed_hash_matches_nothing(hasher: Passwords) -> None:
    assert not await hasher.matches("not a hash", "x")
    assert not await hasher.matches(None, "nobody has this password")


async def test_a_missing_hash_takes_as_long_as_a_wrong_password(hasher: Passwords) -> None:
    """It compares processor times. If the work were skipped, only a thousandth of the time would be left."""
    hashed = await hasher.hash("x")

    async def seconds(known: str | None) -> float:
        begun = time.process_time()
        await hasher.matches(known, "y")
        return time.process_time() - begun

    known = statistics.median([await seconds(hashed) for _ in range(5)])
    unknown = statistics.median([await seconds(None) for _ in range(5)])
    assert unknown > known / 4


async def test_passwords_beyond_the_waiting_limit_are_refused(
    hasher: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "LINE", 3)
    results = await asyncio.gather(*(hasher.hash("x") for _ in range(6)), return_exceptions=True)
    assert [isinstance(result, HasherBusy) for result in results] == [False] * 3 + [True] * 3
    assert await hasher.hash("x")


WERKZEUG = {
    "scrypt": "scrypt:32768:8:1$"
    + "aSaltOfLetters$"
    + hashlib.scrypt(b"caf\xc3\xa9 ", salt=b"aSaltOfLetters", n=32768, r=8, p=1, maxmem=64 * 1024**2).hex(),
    "pbkdf2": "pbkdf2:sha256:1000$salt$" + hashlib.pbkdf2_hmac("sha256", b"caf\xc3\xa9 ", b"salt", 1000).hex(),
}


@pytest.mark.parametrize("kind", WERKZEUG)
async def test_hashes_of_werkzeug_match_and_are_outdated(hasher: Passwords, kind: str) -> None:
    """A password is compared as it was sent: that library does not know which characters look the same."""
    assert await hasher.matches(WERKZEUG[kind], "caf\u00e9 ")
    assert not await hasher.matches(WERKZEUG[kind], "cafe\u0301 ")
    assert hasher.is_outdated(WERKZEUG[kind])
    with pytest.raises(PasswordUnusable):
        await hasher.matches(WERKZEUG[kind], "\ud800")


@pytest.mark.parametrize(("cost", "block", "lanes"), [(2, 8, 1), (32768, 1, 1), (8, 99, 4)])
async def test_a_hash_of_unusual_cost_is_compared_like_others(
    hasher: Passwords, cost: int, block: int, lanes: int
) -> None:
    digest = hashlib.scrypt(b"password", salt=b"salt", n=cost, r=block, p=lanes, maxmem=64 * 1024**2)
    hashed = f"scrypt:{cost}:{block}:{lanes}$salt${digest.hex()}"
    assert await hasher.matches(hashed, "password")
    assert not await hasher.matches(hashed, "another")


async def test_of_an_unsalted_digest_only_a_costly_hash_is_kept(hasher: Passwords) -> None:
    hashed = await hasher.hash_digest(hashlib.sha256(b"opens it").hexdigest())
    assert hashed.startswith("sha256:$argon2id$")
    assert await hasher.matches(hashed, " opens it\n")
    assert not await hasher.matches(hashed, "opens")
    assert not await hasher.matches(hashed, hashlib.sha256(b"opens it").hexdigest())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unknown",
        "plain$$password",
        "md5$salt$0123456789abcdef0123456789abcdef",
        f"scrypt:1073741824:8:1$salt${'ab' * 64}",
        f"scrypt:32768:8:99$salt${'ab' * 64}",
        f"scrypt:32767:8:1$salt${'ab' * 64}",
        f"scrypt:32768:0:1$salt${'ab' * 64}",
        f"scrypt:65536:1:1$salt${'ab' * 64}",
        f"pbkdf2:sha1:1000$salt${'ab' * 128}",
        f"pbkdf2:sha256:9999999$salt${'ab' * 32}",
        f"pbkdf2:sha256:0$salt${'ab' * 32}",
        f"pbkdf2:md5:1000$salt${'ab' * 16}",
        "pbkdf2:sha256:1000$salt$",
        f"pbkdf2:sha256:1000$\0${'ab' * 32}",
    ],
)
async def test_a_hash_that_is_unknown_or_costs_too_much_matches_nothing(hasher: Passwords, text: str) -> None:
    assert ForeignHash.parse(text) is None
    assert not await hasher.matches(text, "password")
