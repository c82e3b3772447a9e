"""Hashing and comparing passwords."""

import asyncio
import statistics
import time
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from common import passwords
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
