"""Errors in the log, which must not contain the values of variables."""

import json
import logging as standard
import secrets
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog
from celery.app.trace import build_tracer

from common import logging
from common.db.migrate import tell_applied
from common.queue import worker
from common.queue.app import create_celery

assert worker, "imported, as by every program that runs tasks"


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


def test_migrations_are_logged_as_everything_else(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure(level="info", format="json", service="migrate")
    tell_applied("share", ["0001_shares.sql"])
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["database"], line["migration"]) == ("migration applied", "share", "0001_shares.sql")
