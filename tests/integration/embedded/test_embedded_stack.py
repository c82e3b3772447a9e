"""The embedded stack as a user meets it: it starts, repairs itself, keeps its data and leaves nothing behind.

Its one worker serves every queue, sends every sweep, and survives its own death.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from common.queue.app import create_celery
from common.queue.schedule import SECONDS
from deploy.local import credentials, stack
from deploy.local.identity import OURSELVES, launch_command
from deploy.local.places import ROOT
from deploy.local.processes import started
from deploy.local.stack import RunningStack, StackFailed, StartedStack
from deploy.local.state import RunState
from tests.integration.embedded.looking import (
    PATIENCE_SECONDS,
    PROGRAMS,
    broker,
    broker_url,
    cache,
    database,
    descendants,
    listening,
    may_administrate,
    sent,
    until,
    wait_gone,
    wait_healthy,
)

MIB = 1024 * 1024
TASKS = {
    "upload": ("upload.verify_blob", [uuid4().hex]),
    "transfers": ("upload.replicate_blob", [uuid4().hex]),
    "share": ("share.expire_shares", []),
    "auth": ("auth.purge_sessions", []),
    "chat": ("chat.purge_rooms", []),
}
"""A task of each queue. What the ids name does not exist."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all tests of this module; pytest makes its parents mode 0700, closed to everybody else."""
    return tmp_path_factory.mktemp("embedded") / "data"


@pytest.fixture(scope="module")
def running(folder: Path) -> Generator[StartedStack]:
    with stack.start(folder) as started_stack:
        yield started_stack


def test_ready_means_that_everything_answers(running: StartedStack) -> None:
    assert httpx.get(f"{running.url}/health").status_code == 200
    for service in ("auth", "upload", "share", "chat"):
        health = httpx.get(f"http://127.0.0.1:{running.ports[service]}/internal/health/ready")
        assert health.status_code == 200, health.text
    assert set(running.state().processes) == PROGRAMS
    assert stack.running(running.folder).url == running.url


def test_everything_that_listens_is_in_the_manual_with_its_reason(running: StartedStack) -> None:
    found, processes = listening(running), running.state().processes
    assert Counter(name for name, _ in found) == {name: n for name, n in documented_sockets() if name in processes}
    assert {(name, f"127.0.0.1:{port}") for name, port in running.ports.items()} <= found
    # A socket in the file system would be here with its path.
    assert {address.rpartition(":")[0] for _, address in found} == {"127.0.0.1"}


def documented_sockets() -> Iterator[tuple[str, int]]:
    """The rows of the manual's table: a program, and the number of its sockets."""
    manual = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8").partition("### What listens")[2]
    for names, number in re.findall(r"^\| ((?:`[a-z]+`(?:, )?)+) \| (\d)", manual.partition("\n#")[0], re.MULTILINE):
        yield from ((name, int(number)) for name in re.findall("[a-z]+", names))


def test_databases_belong_to_their_services_alone(running: StartedStack) -> None:
    known = credentials.load(running.folder)
    url = f"postgresql://share:{known['postgres_share']}@127.0.0.1:{running.ports['postgres']}"
    with psycopg.connect(f"{url}/share") as connection:
        assert connection.execute("select current_database()").fetchone() == ("share",)
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(f"{url}/upload")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://share:guess@127.0.0.1:{running.ports['postgres']}/share")


def test_durability_is_on(running: StartedStack) -> None:
    with database(running) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"show {name}".encode()).fetchone() == ("on",)
    with cache(running) as client:
        assert client.config_get("append*")["appendfsync"] == "everysec"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_nothing_private_can_be_read_by_others(running: StartedStack) -> None:
    assert running.folder.stat().st_mode & 0o077 == 0
    for name in ("secrets.json", "run.json", "store", "store/objects", "store/unfinished"):
        assert (running.folder / name).stat().st_mode & 0o077 == 0
    known = credentials.load(running.folder)
    secrets = set(known.values())
    for pid in descendants([running.state().supervisor]):
        command = Path(f"/proc/{pid}/cmdline").read_text()
        assert not any(secret in command for secret in secrets), command
    log = stack.tail(running.folder, 100_000)
    # Said once, to whoever started it for the first time.
    secrets.remove(known["admin_password"])
    assert not any(secret in log for secret in secrets)


def test_the_first_start_tells_how_to_sign_in_and_later_ones_where_to_look(running: StartedStack) -> None:
    log = stack.tail(running.folder, 100_000)
    told = re.findall(r"Administrator: (\S+), password (\S+)$", log, re.MULTILINE)
    assert len(told) == 1
    assert may_administrate(running, *told[0])


def test_it_idles_small(running: StartedStack) -> None:
    total = 0
    for pid in descendants([running.state().supervisor]):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:  # a probe that has just ended
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
    assert total < 1.2 * 1024 * MIB, f"{total // MIB} MiB"


def test_a_second_start_on_the_folder_says_so_and_touches_nothing(running: StartedStack) -> None:
    def view() -> dict[str, tuple[int, float]]:
        names = ("secrets.json", "run.json", "lock", "valkey/valkey.conf", "postgres/cluster/postmaster.pid")
        return {name: ((s := (running.folder / name).stat()).st_ino, s.st_mtime) for name in names}

    before = view()
    second = subprocess.run(
        [sys.executable, "-m", "deploy.local"],
        cwd=ROOT,
        env={"DATA": str(running.folder), "PORT": "0"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert second.returncode == 1
    assert f"in use by process {running.state().supervisor}, at {running.url}" in second.stderr
    assert view() == before
    assert httpx.get(f"{running.url}/health").status_code == 200


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_whatever_is_killed_comes_back_where_it_was(running: StartedStack, name: str) -> None:
    before = dict(running.ports)
    killed = running.kill(name)
    assert running.wait_restarted(name, killed) != killed
    assert running.ports == before
    wait_healthy(running.url)


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


def test_the_worker_says_that_it_is_alive(running: StartedStack) -> None:
    alive: Path = running.folder / "worker" / "alive"
    seen = alive.stat().st_mtime_ns
    until(lambda: alive.stat().st_mtime_ns > seen)


@dataclass(frozen=True, slots=True)
class Restarted(RunningStack):
    """The stack on what a crash left, started by another program."""

    starter: "subprocess.Popen[str]"
    leftover: "subprocess.Popen[bytes]"
    """Stands for an engine that a killed supervisor left running."""


@pytest.fixture(scope="module")
def restarted(folder: Path, running: StartedStack) -> Generator[Restarted]:
    """Start it again after everything was killed at once, and the machine's crash has made it worse.

    There is half a command at the end of Valkey's log, the number of PostgreSQL's process was given to somebody else,
    and a process that the dead supervisor had started runs on.
    """
    with database(running) as connection:
        connection.execute("create table kept (value int)")
        connection.execute("insert into kept values (42)")
    with cache(running) as client:
        client.set("kept", "42")
        client.waitaof(1, 0, 5000)
    state, everything = running.state(), descendants([running.state().supervisor])
    running.supervisor.kill()
    running.supervisor.wait()
    wait_gone(everything)
    with next((folder / "valkey" / "appendonlydir").glob("*.incr.aof")).open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nha")
    pid_file = folder / "postgres" / "cluster" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1\n5432\n\n127.0.0.1\n 1 1\nready\n")
    # Started as the supervisor starts its programs: what the shell of these tests ignores does not count.
    sleeping = launch_command(OURSELVES, [sys.executable, "-c", "import time; time.sleep(600)"])
    start = "import sys, time; from pathlib import Path; from deploy.local import stack\n"
    start += "stack.start(Path(sys.argv[1])); print('started', flush=True); time.sleep(600)"
    with (
        subprocess.Popen(sleeping, start_new_session=True) as leftover,
        ending(leftover),
        subprocess.Popen(
            [sys.executable, "-c", start, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as starter,
        ending(starter),
    ):
        mark = started(leftover.pid)
        assert mark
        state.processes["postgres"].pid, state.processes["postgres"].mark = leftover.pid, mark
        state.save(folder)
        assert starter.stdout is not None
        assert starter.stdout.readline() == "started\n", stack.tail(folder)
        restarted = Restarted(folder, starter, leftover)
        everything = descendants([restarted.state().supervisor])
        yield restarted
        starter.kill()
        wait_gone(everything)


@contextmanager
def ending(process: "subprocess.Popen[Any]") -> Generator[None]:
    try:
        yield
    finally:
        process.kill()


def test_data_survives_a_kill_of_everything_at_once(restarted: Restarted) -> None:
    password = credentials.load(restarted.folder)["admin_password"]
    log = stack.tail(restarted.folder, 100_000)
    assert password not in log
    assert f"Administrator: admin, first password: admin_password in {restarted.folder / 'secrets.json'}" in log
    assert may_administrate(restarted, "admin", password)
    with database(restarted) as connection:
        assert connection.execute("select value from kept").fetchone() == (42,)
    with cache(restarted) as client:
        assert client.get("kept") == b"42"


def test_it_starts_on_what_a_crash_of_the_machine_leaves(restarted: Restarted) -> None:
    assert httpx.get(f"{restarted.url}/health").status_code == 200


def test_engines_left_by_a_killed_supervisor_are_stopped_first(restarted: Restarted) -> None:
    assert restarted.leftover.wait(PATIENCE_SECONDS) == -signal.SIGINT
    assert "stopped postgres, left running" in stack.tail(restarted.folder, 1000)


def test_it_ends_with_the_program_that_started_it(restarted: Restarted) -> None:
    everything = descendants([restarted.state().supervisor])
    assert len(everything) > len(PROGRAMS)
    restarted.starter.kill()
    wait_gone(everything)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_it_starts_stops_all_of_it(folder: Path, number: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.local"],
        cwd=ROOT,
        env={"DATA": str(folder), "PORT": "0", "PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
    ) as supervisor:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ((state := RunState.load(folder)) and "worker" in state.processes):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        everything = descendants([supervisor.pid])
        supervisor.send_signal(number)
        assert supervisor.wait(PATIENCE_SECONDS) == 0
    wait_gone(everything)


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StackFailed, match=f"port {port} is in use; set PORT to another one"):
            stack.start(tmp_path / "data", port=port)
