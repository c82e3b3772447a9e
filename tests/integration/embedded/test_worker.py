"""The one worker of the embedded stack: it serves every queue, sends every sweep, and survives its own death."""

import json
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
import redis

from common.queue.app import create_celery
from common.queue.schedule import SECONDS
from deploy.local import credentials, stack, valkey
from deploy.local.stack import RunningStack, StartedStack
from tests.integration.embedded.looking import PATIENCE_SECONDS

TASKS = {
    "upload": ("upload.verify_blob", [uuid4().hex]),
    "transfers": ("upload.replicate_blob", [uuid4().hex]),
    "share": ("share.expire_shares", []),
    "auth": ("auth.purge_sessions", []),
    "chat": ("chat.purge_rooms", []),
}
"""A task of each queue. What the ids name does not exist."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Generator[StartedStack]:
    with stack.start(tmp_path_factory.mktemp("worker") / "data") as started_stack:
        yield started_stack


def broker_url(on: RunningStack) -> str:
    url = valkey.url(on.ports["valkey"], credentials.load(on.folder)["valkey"])
    return f"{url.removesuffix('/0')}/1"


def broker(on: RunningStack) -> Any:
    return cast("Any", redis.Redis.from_url(broker_url(on)))


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def sent(queue: Any, sweep: str) -> int:
    """How often the beat has sent a sweep."""
    meta = json.loads(queue.hget(f"redbeat:{sweep}", "meta") or "{}")
    return int(meta.get("total_run_count") or 0)


def test_sweeps_are_sent_and_every_queue_is_served(running: StartedStack) -> None:
    queue = broker(running)
    # A sweep is sent first when its interval has passed.
    for sweep in (sweep for sweep, seconds in SECONDS.items() if seconds <= 15):
        until(lambda sweep=sweep: sent(queue, sweep) > 0)
    celery = create_celery("test", broker_url(running))
    for name, (task, ids) in TASKS.items():
        celery.send_task(task, args=ids, queue=name)
        until(lambda name=name: queue.llen(f"celery:{name}") == 0)
    celery.close()


def test_sweeps_go_on_at_once_after_the_worker_was_killed(running: StartedStack) -> None:
    queue = broker(running)
    # A lock of the beat that was killed would hold the next one up for half a minute.
    assert not queue.exists("redbeat::lock")
    running.wait_restarted("worker", running.kill("worker"))
    before = sent(queue, "upload.sweep_fetches")
    until(lambda: sent(queue, "upload.sweep_fetches") > before)
    until(lambda: all(queue.llen(f"celery:{name}") == 0 for name in TASKS))


def test_it_says_that_it_is_alive(running: StartedStack) -> None:
    alive: Path = running.folder / "worker" / "alive"
    seen = alive.stat().st_mtime_ns
    until(lambda: alive.stat().st_mtime_ns > seen)
