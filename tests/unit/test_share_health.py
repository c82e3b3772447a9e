"""The health of the system, concluded from the states of its parts."""

import asyncio

import pytest

from common.errors import StorageFull
from common.health import OK, state_of
from share_service.health.model import States, Status, conclude

GOOD = {"database": OK, "limits": OK}
WORKING = {"sending": OK, "fetching": OK}


def services(**changes: States) -> dict[str, States]:
    return {"auth": GOOD, "upload": GOOD, "share": GOOD, "chat": GOOD, **changes}


@pytest.mark.parametrize(
    ("content", "changes", "status", "missing"),
    [
        (WORKING, {}, Status.OK, []),
        ({**WORKING, "sending": "storage_full"}, {}, Status.DEGRADED, ["sending"]),
        ({**WORKING, "fetching": "unavailable"}, {}, Status.DEGRADED, ["fetching"]),
        (dict.fromkeys(WORKING, "unavailable"), {}, Status.UNAVAILABLE, ["sending", "fetching"]),
        (WORKING, {"share": {**GOOD, "database": "unavailable"}}, Status.UNAVAILABLE, ["sending", "fetching"]),
        (WORKING, {"auth": {"service": "unavailable"}}, Status.DEGRADED, ["accounts"]),
        (WORKING, {"chat": {**GOOD, "streams": "unavailable"}}, Status.DEGRADED, ["rooms"]),
        (
            dict.fromkeys(WORKING, "x"),
            {name: {"database": "x"} for name in ("auth", "share", "chat")},
            Status.UNAVAILABLE,
            ["sending", "fetching", "accounts", "rooms"],
        ),
    ],
)
def test_the_status_follows_from_what_users_can_do(
    content: States, changes: dict[str, States], status: Status, missing: list[str]
) -> None:
    health = conclude(services(**changes), content)
    assert (health.status, health.missing) == (status, missing)


async def test_a_state_is_ok_or_the_code_of_an_error() -> None:
    async def works() -> None:
        return

    async def fails() -> None:
        raise StorageFull

    async def hangs() -> None:
        await asyncio.sleep(60)

    assert [await state_of(check, 0.05) for check in (works, fails, hangs)] == [OK, "storage_full", "unavailable"]
