"""Operations in a real process of workers: several at once on threads, and broken off when they must be."""

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
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
from celery import Celery
from kombu.transport.redis import Mutex

from common.queue.app import VISIBILITY_SECONDS, create_celery, send, waiting
from tests.conftest import ROOT

PATIENCE_SECONDS = 60


@dataclass
class Process:
    """A process of two workers, and what its tasks wrote down."""

    process: subprocess.Popen[bytes]
    notes: Path
    alive: Path
    queue: str
    celery: Celery

    def send(self, task: str, *args: object, second: bool = False) -> None:
        self.celery.send_task(task, args=args, queue=f"{self.queue}-2" if second else self.queue)

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
def running(
    valkey_url: str, folder: Path, threads: int, *, queue: str | None = None, visibility: int = VISIBILITY_SECONDS
) -> Generator[Process]:
    queue = queue or f"test-{secrets.token_hex(6)}"
    notes, alive = folder / "notes", folder / "alive"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.common.worker_app", str(alive)],
        cwd=ROOT,
        env={
            **os.environ,
            "BROKER_URL": valkey_url,
            "QUEUE": queue,
            "NOTES": str(notes),
            "THREADS": str(threads),
            "VISIBILITY": str(visibility),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    celery = create_celery(queue, valkey_url)
    try:
        yield Process(process, notes, alive, queue, celery)
    finally:
        celery.close()
        process.kill()
        process.wait()


def test_threads_run_as_many_operations_at_once_and_end_with_their_process(valkey_url: str, tmp_path: Path) -> None:
    with running(valkey_url, tmp_path, 3) as process:
        for _ in range(3):
            process.send("meet", 3)
        process.until(lambda noted: noted["met"] == 3)
        process.until(lambda _: process.alive.exists())
        process.send("fail")
        process.until(lambda noted: noted["fails"] == 1)
        for _ in range(5):
            process.send("stay")
        process.until(lambda noted: noted["stays"] == 3)
        assert process.stop() < 15
        noted = process.noted()
    # Waiting tasks were never begun, and running ones tidied up before their state was closed.
    assert (noted["opened"], noted["stays"], noted["tidied"], noted["closed"]) == (1, 3, 3, 1)
    assert process.notes.read_text().split()[-2] == "closed"


def test_a_full_queue_delays_no_other_of_the_same_process(valkey_url: str, tmp_path: Path) -> None:
    with running(valkey_url, tmp_path, 1) as process:
        for _ in range(20):
            process.send("stay")
        process.until(lambda noted: noted["stays"] == 1)
        for _ in range(3):
            process.send("meet", 1, second=True)
        process.until(lambda noted: noted["met"] == 3)
        noted = process.noted()
    assert (noted["stays"], noted["opened"]) == (1, 2)


def test_an_operation_ends_with_its_time_and_the_next_one_begins(valkey_url: str, tmp_path: Path) -> None:
    with running(valkey_url, tmp_path, 1) as process:
        process.send("stay", 0.5)
        process.send("meet", 1)
        process.until(lambda noted: noted["met"] == 1)
        assert (process.noted()["stays"], process.noted()["tidied"]) == (1, 1)


def test_the_task_of_a_killed_process_is_run_by_the_next(valkey_url: str, tmp_path: Path) -> None:
    with running(valkey_url, tmp_path, 1) as first:
        first.send("stay")
        first.send("meet", 1)
        first.until(lambda noted: noted["stays"] == 1)
        first.process.kill()
    with running(valkey_url, tmp_path, 2, queue=first.queue, visibility=1) as second:
        second.until(lambda noted: (noted["stays"], noted["met"]) >= (2, 1))


def test_one_that_dies_while_it_returns_messages_keeps_the_next_from_it_for_seconds(valkey_url: str) -> None:
    broker = cast("Any", redis.Redis.from_url(valkey_url))
    celery = create_celery("test", valkey_url)
    with celery.connection_for_read() as connection:
        channel = cast("Any", connection.default_channel)
        # A process that was killed before may have left its own.
        broker.delete("celery:unacked_mutex")
        with Mutex(channel.client, channel.unacked_mutex_key, channel.unacked_mutex_expire):
            assert 0 < broker.pttl("celery:unacked_mutex") <= 10_000
    celery.close()


def test_a_process_outlives_the_loss_of_its_connections_while_a_task_runs(valkey_url: str, tmp_path: Path) -> None:
    with running(valkey_url, tmp_path, 1) as process:
        process.send("stay", 2)
        process.until(lambda noted: noted["stays"] == 1)
        broker = cast("Any", redis.Redis.from_url(valkey_url))
        broker.client_kill_filter(_type="normal", skipme=True)
        process.until(lambda noted: noted["tidied"] == 1)
        for second in (False, True):
            process.send("meet", 1, second=second)
        process.until(lambda noted: noted["met"] == 2)
        process.alive.unlink()
        process.until(lambda _: process.alive.exists())


@pytest.mark.parametrize("is_whole", [True, False], ids=["closed", "broke off while it closed"])
def test_a_channel_whose_connection_was_closed_fails_as_a_lost_connection(valkey_url: str, is_whole: bool) -> None:
    celery = create_celery("test", valkey_url)
    with celery.connection_for_read() as connection:
        channel = cast("Any", connection.default_channel)
        if is_whole:
            connection.close()
        else:
            channel.connection.client = None
        # A consumer connects again after these errors, and ends at every other.
        with pytest.raises(connection.connection_errors):
            _ = channel.pool
        if not is_whole:
            channel.connection.client = connection
    celery.close()


def test_a_process_without_one_of_its_consumers_ends_and_is_not_taken_for_whole(
    valkey_url: str, tmp_path: Path
) -> None:
    with running(valkey_url, tmp_path, 1) as process:
        process.send("break")
        assert process.process.wait(PATIENCE_SECONDS) == 1


@contextmanager
def beat(url: str) -> Generator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "common.start", "common.queue.beat"]
    with subprocess.Popen(command, env={**os.environ, "BROKER_URL": url}) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_second_beat_waits_until_the_first_has_ended(valkey_url: str) -> None:
    url = urlunsplit(urlsplit(valkey_url)._replace(path="/9"))
    queue = cast("Any", redis.Redis.from_url(url))

    def begun() -> bytes:
        """The lock of the beat that has sent sweeps since they were last thrown away."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not queue.delete("celery:transfers"):
            assert time.monotonic() < until
            time.sleep(0.05)
        return queue.get("redbeat::lock")

    with beat(url) as first:
        held = begun()
        with beat(url) as second:
            assert begun() == held
            first.terminate()
            assert first.wait(PATIENCE_SECONDS) == 0
            queue.delete("celery:transfers")
            assert begun() != held
            second.terminate()
            assert second.wait(PATIENCE_SECONDS) == 0
    assert queue.get("redbeat::lock") is None


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
