"""Operations in real workers: several at once on threads, one in each process, and broken off when they must be."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from celery import Celery

from common.queue.app import create_celery, send, waiting
from tests.conftest import ROOT

PATIENCE_SECONDS = 30


@dataclass
class Worker:
    """A worker's process, and what its tasks wrote down."""

    process: subprocess.Popen[bytes]
    notes: Path
    queue: str
    celery: Celery

    def send(self, task: str, *args: object, **options: Any) -> None:
        self.celery.send_task(task, args=args, queue=self.queue, **options)

    def noted(self) -> Counter[str]:
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        return Counter(line.split()[0] for line in lines)

    def until(self, true: Callable[[Counter[str]], bool]) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not true(self.noted()):
            assert time.monotonic() < until, self.noted()
            assert self.process.poll() is None
            time.sleep(0.05)

    def stop(self) -> float:
        """Tell it to end; seconds until it has."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(2 * PATIENCE_SECONDS) == 0
        return time.monotonic() - begun


@contextmanager
def running(valkey_url: str, folder: Path, *pool: str) -> Generator[Worker]:
    queue, notes = f"test-{secrets.token_hex(6)}", folder / "notes"
    environment = {**os.environ, "BROKER_URL": valkey_url, "QUEUE": queue, "NOTES": str(notes)}
    app = ("-A", "tests.integration.common.worker_app:app", "worker", "-Q", queue, "-n", f"{queue}@test")
    quiet = ("--without-gossip", "--without-mingle", "--loglevel", "error")
    process = subprocess.Popen(
        [sys.executable, "-m", "celery", "--quiet", *app, *pool, *quiet],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    celery = create_celery(queue, valkey_url)
    try:
        yield Worker(process, notes, queue, celery)
    finally:
        celery.close()
        process.kill()
        process.wait()


def test_threads_run_as_many_operations_at_once_and_end_with_their_worker(valkey_url: str, tmp_path: Path) -> None:
    with running(valkey_url, tmp_path, "--pool", "threads", "--concurrency", "3") as worker:
        for _ in range(3):
            worker.send("meet", 3)
        worker.until(lambda noted: noted["met"] == 3)
        worker.send("fail")
        worker.until(lambda noted: noted["fails"] == 1)
        for _ in range(5):
            worker.send("stay")
        worker.until(lambda noted: noted["stays"] == 3)
        assert worker.stop() < 15
        noted = worker.noted()
    # What was waiting has not been begun, what was under way has tidied up before its state was closed.
    assert (noted["opened"], noted["stays"], noted["tidied"], noted["closed"]) == (1, 3, 3, 1)
    assert worker.notes.read_text().split()[-2] == "closed"


def test_processes_run_one_operation_each_within_its_time(valkey_url: str, tmp_path: Path) -> None:
    with running(valkey_url, tmp_path, "--pool", "prefork", "--concurrency", "2") as worker:
        for _ in range(4):
            worker.send("meet", 1)
        worker.send("fail")
        worker.until(lambda noted: (noted["met"], noted["fails"]) == (4, 1))
        worker.send("stay", soft_time_limit=1)
        worker.until(lambda noted: noted["tidied"] == 1)
        # A process goes on after that.
        for _ in range(4):
            worker.send("meet", 1)
        worker.until(lambda noted: noted["met"] == 8)
        worker.stop()
        noted = worker.noted()
    assert noted["opened"] == noted["closed"] <= 2


def test_no_more_messages_wait_than_may(valkey_url: str) -> None:
    queue = f"test-{secrets.token_hex(6)}"
    celery = create_celery(queue, valkey_url)
    try:
        for _ in range(5):
            send(celery, "note", "a", queue=queue, most=3)
        assert waiting(celery, queue) == 3
        send(celery, "note", "a", queue=queue)
        assert waiting(celery, queue) == 4
    finally:
        with celery.connection_for_write() as connection:
            cast("Any", connection.default_channel).queue_purge(queue)
        celery.close()
