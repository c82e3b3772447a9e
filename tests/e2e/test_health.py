"""The health of the running system while its parts are killed: it says what users find when they try."""

import time
from typing import Any

import httpx
import pytest

from deploy.local.stack import StartedStack
from tests.e2e.faults import PATIENCE, down


def look(stack: StartedStack) -> tuple[int, dict[str, Any]]:
    """The status, and what `detail` says."""
    answer = httpx.get(f"{stack.url}/health", timeout=30)
    detail = answer.json()["detail"]
    return answer.status_code, detail if isinstance(detail, dict) else {"status": detail}


def send(stack: StartedStack) -> int:
    return httpx.post(f"{stack.url}/share/file/", files={"file": ("a.txt", b"content")}, timeout=60).status_code


def becomes(stack: StartedStack, status: int, degraded: list[str] | None = None) -> None:
    """Wait until the health says this. It is looked at anew when it is about two seconds old."""
    until = time.monotonic() + PATIENCE
    while (found := look(stack))[0] != status or found[1].get("degraded") != degraded:
        assert time.monotonic() < until, found
        time.sleep(0.1)


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
    becomes(stack, 200)
    assert send(stack) == 200
    with down(stack, part):
        becomes(stack, status, missing)
        assert (send(stack) == 200) == ("sending" not in missing)
    becomes(stack, 200)


def test_without_the_service_that_tells_it_the_gateway_says_503(stack: StartedStack) -> None:
    with down(stack, "share"):
        becomes(stack, 503)
    becomes(stack, 200)
