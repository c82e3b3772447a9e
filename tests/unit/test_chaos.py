"""How `make chaos` judges: what it calls a broken promise, and what it does not."""

import random
from itertools import islice

import pytest

from tests.chaos.checks import talks
from tests.chaos.client import Answer, Client, Tally, name_in, shape
from tests.chaos.faults import schedule
from tests.chaos.ledger import Content, Counted, Ledger, Talk, Violation
from tests.chaos.loads import LOADS
from tests.chaos.loads.counted import judge

PROGRAMS = ["a", "b", "c"]


def counted(*, uses: int, served: int, unanswered: int) -> Counted:
    return Counted("code", uses, Content("a", 1, ""), served=served, unanswered=unanswered)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (counted(uses=3, served=3, unanswered=0), set[Violation]()),
        (counted(uses=3, served=4, unanswered=2), {Violation.OVERSPENT}),
        (counted(uses=3, served=2, unanswered=0), {Violation.LOST}),
        (counted(uses=3, served=2, unanswered=1), set[Violation]()),
        (counted(uses=3, served=1, unanswered=1), {Violation.LOST}),
    ],
)
def test_a_use_may_be_missing_only_for_a_request_without_an_answer(share: Counted, expected: set[Violation]) -> None:
    ledger = Ledger()
    judge(ledger, share)
    assert set(ledger.violations) == expected
    assert ledger.uses_taken_unanswered["file"] == max(0, min(share.uses - share.served, share.unanswered))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (["a", "b", "c"], set[Violation]()),
        (["a", "lost answer", "b", "c"], set[Violation]()),
        (["a", "c"], {Violation.LOST}),
        (["a", "b", "b", "c"], {Violation.DOUBLED}),
        (["a", "lost answer", "b", "c", "lost answer"], {Violation.DOUBLED}),
        (["b", "a", "c"], {Violation.DISORDERED}),
        (["a", "b", "c", "nobody's"], {Violation.CORRUPT}),
    ],
)
def test_messages_are_there_once_and_in_order(found: list[str], expected: set[Violation]) -> None:
    async def nothing() -> list[str]:
        return []

    ledger = Ledger()
    talk = Talk("room", nothing, ["a", "b", "c"], {"a", "b", "c", "lost answer"})
    talks.compare(ledger, "room", talk, found)
    assert set(ledger.violations) == expected


def test_the_seed_decides_what_is_killed() -> None:
    first, again, other = (list(schedule(seed, PROGRAMS, 50)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert sum(not fault.is_stop for fault in first) == 50
    assert {fault.program for fault in first} == set(PROGRAMS)


def test_every_load_has_a_chance_of_its_own() -> None:
    drawn = {tuple(islice(iter(random.Random(f"1 {name}").random, None), 3)) for name in LOADS}
    assert len(drawn) == len(LOADS)


def test_names_are_read_as_browsers_do() -> None:
    assert name_in("attachment; filename=\"a.bin\"; filename*=UTF-8''%C3%BC%20b.bin") == "ü b.bin"
    assert name_in('attachment; filename="a.bin"') == "a.bin"
    assert name_in("inline") is None


def test_no_code_is_in_a_report() -> None:
    assert shape("/share/select/?code=AB1C2") == "/share/select/?…"
    assert shape("/v1/rooms/17/messages") == "/v1/rooms/…/messages"


@pytest.mark.parametrize(
    ("status", "headers", "is_wrong"),
    [(503, {"Retry-After": "2"}, False), (503, {}, True), (500, {"Retry-After": "2"}, True), (409, {}, False)],
)
def test_an_error_that_does_not_say_when_to_come_back_is_wrong(
    status: int, headers: dict[str, str], is_wrong: bool
) -> None:
    tally = Tally()
    client = Client(None, tally)  # type: ignore[arg-type]
    client.pause_after("GET", "/a", Answer(status, headers, b""))
    assert bool(tally.wrong) == is_wrong
