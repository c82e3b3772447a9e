"""The pure rules of mirrors and replicas: waits, breakers, paths, seals and signatures."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from upload_service.mirrors.drivers import unfinished
from upload_service.mirrors.model import (
    BREAKER_FAILURES,
    FAILED_AFTER,
    FAILED_WAIT,
    FIRST_BREAK,
    LONGEST_BREAK,
    break_after,
    path_of,
    wait_after,
)
from upload_service.mirrors.sealing import Sealer, Unsealable


def test_waits_double_and_are_spread() -> None:
    for attempts in range(1, FAILED_AFTER):
        waits = {wait_after(attempts) for _ in range(50)}
        expected = timedelta(seconds=5) * 2 ** (attempts - 1)
        assert len(waits) > 40
        assert all(expected * 0.75 <= wait <= expected * 1.25 for wait in waits)
    assert all(wait_after(attempts) >= FAILED_WAIT * 0.75 for attempts in (FAILED_AFTER, 10**6))


def test_a_breaker_opens_after_some_failures_for_longer_each_time_up_to_a_limit() -> None:
    assert [break_after(failures) for failures in range(BREAKER_FAILURES)] == [None] * BREAKER_FAILURES
    first, last = break_after(BREAKER_FAILURES), break_after(10**6)
    assert first is not None
    assert last is not None
    assert FIRST_BREAK * 0.75 <= first <= FIRST_BREAK * 1.25
    assert LONGEST_BREAK * 0.75 <= last <= LONGEST_BREAK * 1.25


def test_each_replica_has_a_path_of_its_own_and_paths_are_spread_over_folders() -> None:
    assert path_of(UUID("ab" * 16)) == f"ab/{'ab' * 16}"


def test_a_sealed_text_is_opened_only_with_the_same_secret() -> None:
    sealed = Sealer("one secret of many").seal({"password": "hidden ö"})
    assert b"hidden" not in sealed
    assert Sealer("one secret of many").open(sealed) == {"password": "hidden ö"}
    for secret, content in (("another secret", sealed), ("one secret of many", sealed[:-8] + b"AAAAAAA=")):
        with pytest.raises(Unsealable):
            Sealer(secret).open(content)


def test_a_signature_is_valid_for_one_text_and_one_secret() -> None:
    tag = Sealer("one secret").sign("text")
    assert Sealer("one secret").is_signed("text", tag)
    assert not Sealer("one secret").is_signed("texts", tag)
    assert not Sealer("another secret").is_signed("text", tag)
    assert not Sealer("one secret").is_signed("text", "ö")


@pytest.mark.parametrize(
    ("folder", "name", "is_ours"),
    [
        ("", f"{'0f' * 16}.aB3dE6gH", True),
        ("", f"{'0f' * 16}.markdown", False),
        ("", f"{'0f' * 16}.bin", False),
        ("", f"{'0f' * 16}", False),
        (unfinished.PROBES, "7-0123456789abcdef", True),
        (unfinished.PROBES, "7", False),
        (unfinished.FOLDER, f"ab-{'0f' * 16}.0123456789abcdef", True),
        (unfinished.FOLDER, "notes.txt", False),
    ],
)
def test_only_old_files_with_our_names_are_swept_from_mirrors(folder: str, name: str, is_ours: bool) -> None:
    before = datetime(2026, 1, 2, tzinfo=UTC)
    old = unfinished.Entry(name, before - timedelta(days=1))
    assert unfinished.is_left(folder, old, before) is is_ours
    for changed_at in (before, None):
        assert not unfinished.is_left(folder, unfinished.Entry(name, changed_at), before)
