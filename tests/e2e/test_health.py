"""The health of the running system while its parts are killed: it says what users find when they try."""

import time
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.e2e.faults import PATIENCE, down


def look(stack: StartedStack) -> tuple[int, dict[str, Any]]:
    """The status, and what `detail` says, when the health that was seen before is too old."""
    time.sleep(2.5)
    answer = httpx.get(f"{stack.url}/health", timeout=30)
    detail = answer.json()["detail"]
    return answer.status_code, detail if isinstance(detail, dict) else {"status": detail}


def send(stack: StartedStack) -> int:
    return httpx.post(f"{stack.url}/share/file/", files={"file": ("a.txt", b"content")}, timeout=60).status_code


def becomes_well(stack: StartedStack) -> None:
    until = time.monotonic() + PATIENCE
    while (found := look(stack))[1]["status"] != "ok":
        assert time.monotonic() < until, found


@pytest.mark.parametrize(
    ("part", "status", "missing"),
    [
        pytest.param("chat", 200, ["rooms"], marks=pytest.mark.long),
        ("auth", 200, ["accounts"]),
        ("store", 503, ["sending", "fetching"]),
        ("upload", 503, ["sending", "fetching"]),
    ],
)
def test_health_says_what_does_not_work(stack: StartedStack, part: str, status: int, missing: list[str]) -> None:
    becomes_well(stack)
    assert send(stack) == 200
    with down(stack, part):
        found, detail = look(stack)
        assert (found, detail["degraded"]) == (status, missing)
        assert (send(stack) == 200) == ("sending" not in missing)
    becomes_well(stack)


def test_without_the_service_that_tells_it_the_gateway_says_503(stack: StartedStack) -> None:
    with down(stack, "share"):
        assert look(stack)[0] == 503
    becomes_well(stack)
