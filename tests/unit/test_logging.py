"""Errors in the log, which must not contain the values of variables."""

import asyncio
import json
import logging as standard
import secrets
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
import structlog
from celery.app.trace import build_tracer

from common import logging
from common.db.migrate import tell_applied
from common.queue.app import create_celery
from common.queue.worker import Worker


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Restores the configuration of the log after the test."""
    root = standard.getLogger()
    handlers, level, configured = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**configured)
    structlog.contextvars.clear_contextvars()


def fail(password: str) -> None:
    raise RuntimeError(f"{len(password)} characters")


@pytest.mark.parametrize("format", ["json", "console"])
def test_a_logged_error_shows_its_place_and_no_values_of_variables(
    capsys: pytest.CaptureFixture[str],
    format: Literal["json", "console"],  # noqa: A002
) -> None:
    logging.configure(level="info", format=format, service="tests")
    password = secrets.token_hex(8)
    try:
        fail(password)
    except RuntimeError:
        logging.get("a module").exception("request failed", route="/v1/things")
    written = capsys.readouterr().err
    assert "16 characters" in written
    assert "in fail" in written or '"fail"' in written
    assert password not in written
    if format == "json":
        # A task that another test left may be collected, and logged, at this very moment.
        lines = [json.loads(line) for line in written.splitlines()]
        assert [line["route"] for line in lines if line["event"] == "request failed"] == ["/v1/things"]


def test_sweeps_are_quiet_and_their_failures_are_not(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure(level="info", format="json", service="tests")
    for name in ("celery.worker.strategy", "celery.app.trace"):
        standard.getLogger(name).info("Task share.expire_shares succeeded")
        standard.getLogger(name).error("Task share.expire_shares raised unexpected")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["Task share.expire_shares raised unexpected"] * 2


def test_lines_of_celery_name_the_task_and_the_request_that_caused_it(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure(level="info", format="json", service="worker")
    app = create_celery("test", "memory://")

    def fail_once() -> None:
        raise ZeroDivisionError

    task: Any = app.task(fail_once, name="test.fails")
    run: Any = build_tracer("test.fails", task, app=app)
    run("an id", (), {}, {"id": "an id", "task": "test.fails", "delivery_info": {}, "request_id": "the request"})
    logging.get("a module").info("idle")
    failed, idle = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert "raised unexpected: ZeroDivisionError()" in failed["event"]
    assert (failed["task"], failed["request_id"]) == ("test.fails", "the request")
    assert not {"task", "request_id"} & idle.keys()
    app.close()


def test_what_a_worker_opens_does_not_log_in_the_name_of_the_first_task() -> None:
    """Its pools live longer than that task, and what goes on in them is of no request."""
    app = create_celery("test", "memory://")
    names: list[dict[str, Any]] = []
    loops: list[tuple[threading.Thread, asyncio.AbstractEventLoop]] = []

    @asynccontextmanager
    async def opened() -> AsyncGenerator[None]:
        names.append(structlog.contextvars.get_contextvars())
        loops.append((threading.current_thread(), asyncio.get_running_loop()))
        yield

    async def operation(_: None) -> None:
        names.append(structlog.contextvars.get_contextvars())

    worker = Worker(app, opened, threads=1)

    def first() -> None:
        worker.run(operation)

    task: Any = app.task(first, name="test.first")
    run: Any = build_tracer("test.first", task, app=app)
    run("an id", (), {}, {"id": "an id", "task": "test.first", "delivery_info": {}, "request_id": "the request"})
    worker.close()
    app.close()
    ((thread, loop),) = loops
    thread.join()
    loop.close()
    of_state, of_task = names
    assert of_state == {}
    assert (of_task["task"], of_task["request_id"]) == ("test.first", "the request")


def test_migrations_are_logged_as_everything_else(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure(level="info", format="json", service="migrate")
    tell_applied("chat", [])
    tell_applied("share", ["0001_shares.sql", "0002_leases.sql"])
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["database"]) == ("migrations applied", "share")
    assert (line["count"], line["last"]) == (2, "0002_leases.sql")
