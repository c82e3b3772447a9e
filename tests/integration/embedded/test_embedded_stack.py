"""The embedded stack as a user meets it: it starts, repairs itself, keeps its data and leaves nothing behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterable
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from deploy.local import credentials, postgres, stack, valkey
from deploy.local.identity import OURSELVES, launch_command
from deploy.local.processes import started
from deploy.local.services import ROOT
from deploy.local.stack import RunningStack, StackFailed, StartedStack
from deploy.local.state import RunState

PROGRAMS = {
    *(
        "postgres",
        "valkey",
        "store",
        "auth",
        "upload",
        "share",
        "chat",
        "auth-worker",
        "upload-worker",
        "transfers-worker",
        "share-worker",
        "chat-worker",
        "beat",
        "gateway",
    ),
}
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all tests of this module; pytest makes its parents mode 0700, closed to everybody else."""
    return tmp_path_factory.mktemp("embedded") / "data"


@pytest.fixture(scope="module")
def running(folder: Path) -> Generator[StartedStack]:
    with stack.start(folder) as started_stack:
        yield started_stack


def database(on: RunningStack) -> "psycopg.Connection[tuple[object, ...]]":
    password = credentials.load(on.folder)["postgres_admin"]
    return psycopg.connect(postgres.admin_url(on.ports["postgres"], password), autocommit=True)


def cache(on: RunningStack) -> redis.Redis:
    return redis.Redis.from_url(valkey.url(on.ports["valkey"], credentials.load(on.folder)["valkey"]))


def descendants(pids: Iterable[int]) -> set[int]:
    """These processes and all they started."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = set(pids)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def wait_gone(pids: Iterable[int], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while left := [pid for pid in pids if started(pid)]:
        assert time.monotonic() < deadline, f"still there: {[Path(f'/proc/{pid}/cmdline').read_text() for pid in left]}"
        time.sleep(0.05)


def wait_healthy(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if httpx.get(f"{url}/health", timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "the gateway does not answer"
        time.sleep(0.1)


def listening(pids: set[int]) -> set[str]:
    """The addresses, as the kernel writes them, on which these processes listen."""
    inodes: set[str] = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]"))
            except OSError:
                continue
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}


def test_ready_means_that_everything_answers(running: StartedStack):
    assert httpx.get(f"{running.url}/health").status_code == 200
    for service in ("auth", "upload", "share", "chat"):
        health = httpx.get(f"http://127.0.0.1:{running.ports[service]}/internal/health/ready")
        assert health.status_code == 200, health.text
    assert set(running.state().processes) == PROGRAMS
    assert stack.running(running.folder).url == running.url


def test_nothing_listens_but_on_this_machine(running: StartedStack):
    assert listening(descendants([running.state().supervisor])) == {"0100007F"}


def test_databases_belong_to_their_services_alone(running: StartedStack):
    known = credentials.load(running.folder)
    url = f"postgresql://share:{known['postgres_share']}@127.0.0.1:{running.ports['postgres']}"
    with psycopg.connect(f"{url}/share") as connection:
        assert connection.execute("select current_database()").fetchone() == ("share",)
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(f"{url}/upload")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://share:guess@127.0.0.1:{running.ports['postgres']}/share")


def test_durability_is_on(running: StartedStack):
    with database(running) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"show {name}".encode()).fetchone() == ("on",)
    with cache(running) as client:
        assert client.config_get("append*")["appendfsync"] == "everysec"
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_nothing_private_can_be_read_by_others(running: StartedStack):
    assert running.folder.stat().st_mode & 0o077 == 0
    for name in ("secrets.json", "run.json"):
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


def test_the_first_start_tells_how_to_sign_in_and_later_ones_where_to_look(running: StartedStack):
    log = stack.tail(running.folder, 100_000)
    told = re.findall(r"Administrator: (\S+), password (\S+)$", log, re.MULTILINE)
    assert len(told) == 1
    assert may_administrate(running, *told[0])


def test_a_password_of_the_users_own_opens_the_account_and_is_not_told(tmp_path: Path):
    mine = {"ADMIN_NAME": "Çelik", "ADMIN_PASSWORD": "of the user's own"}
    with stack.start(tmp_path / "data", environment=mine) as first:
        assert may_administrate(first, *mine.values())
        generated = credentials.load(first.folder)["admin_password"]
        assert not may_administrate(first, "Çelik", generated)
        log = stack.tail(first.folder, 100_000)
        assert not any(secret in log for secret in (mine["ADMIN_PASSWORD"], generated))


def may_administrate(on: RunningStack, name: str, password: str) -> bool:
    """Whether this opens the account of an administrator."""
    signed_in = httpx.post(f"{on.url}/v1/auth/login", json={"name": name, "password": password})
    if signed_in.status_code == 401:
        return False
    token = signed_in.raise_for_status().json()["token"]
    return httpx.get(f"{on.url}/v1/accounts", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_it_idles_small(running: StartedStack):
    total = 0
    for pid in descendants([running.state().supervisor]):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:  # a probe that has just ended
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
    assert total < 1.2 * 1024 * MIB, f"{total // MIB} MiB"


def test_a_second_start_on_the_folder_says_so_and_touches_nothing(running: StartedStack):
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
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert f"in use by process {running.state().supervisor}, at {running.url}" in second.stderr
    assert view() == before
    assert httpx.get(f"{running.url}/health").status_code == 200


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_whatever_is_killed_comes_back_where_it_was(running: StartedStack, name: str):
    before = dict(running.ports)
    killed = running.kill(name)
    assert running.wait_restarted(name, killed) != killed
    assert running.ports == before
    wait_healthy(running.url)


def test_data_survives_a_kill_of_everything_at_once(folder: Path, running: StartedStack):
    with database(running) as connection:
        connection.execute("create table kept (value int)")
        connection.execute("insert into kept values (42)")
    with cache(running) as client:
        client.set("kept", "42")
        client.waitaof(1, 0, 5000)
    everything = descendants([running.state().supervisor])
    running.supervisor.kill()
    running.supervisor.wait()
    wait_gone(everything)
    with stack.start(folder) as again:
        password = credentials.load(folder)["admin_password"]
        log = stack.tail(folder, 100_000)
        assert password not in log
        assert f"Administrator: admin, first password: admin_password in {folder / 'secrets.json'}" in log
        assert may_administrate(again, "admin", password)
        with database(again) as connection:
            assert connection.execute("select value from kept").fetchone() == (42,)
        with cache(again) as client:
            assert client.get("kept") == b"42"
        everything = descendants([again.state().supervisor])
    wait_gone(everything, 1)
    assert not (folder / "run.json").exists()


def test_it_starts_on_what_a_crash_of_the_machine_leaves(folder: Path):
    """Half a command at the end of Valkey's log, and the number of PostgreSQL's process given to somebody else."""
    log = next((folder / "valkey" / "appendonlydir").glob("*.incr.aof"))
    with log.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$4\r\nha")
    pid_file = folder / "postgres" / "cluster" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n1\n5432\n\n127.0.0.1\n 1 1\nready\n")
    with stack.start(folder) as again:
        assert httpx.get(f"{again.url}/health").status_code == 200


def test_engines_left_by_a_killed_supervisor_are_stopped_first(folder: Path):
    # Started as the supervisor starts its programs: what the shell of these tests ignores does not count.
    sleeping = launch_command(OURSELVES, [sys.executable, "-c", "import time; time.sleep(600)"])
    with subprocess.Popen(sleeping, start_new_session=True) as leftover:
        with stack.start(folder) as first:
            state = first.state()
        mark = started(leftover.pid)
        assert mark
        state.processes["postgres"].pid, state.processes["postgres"].mark = leftover.pid, mark
        state.save(folder)
        with stack.start(folder):
            assert leftover.wait(1) == -signal.SIGINT
        assert "stopped postgres, left running" in stack.tail(folder, 1000)


def test_a_port_in_use_is_named(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(StackFailed, match=f"port {port} is in use; set PORT to another one"):
            stack.start(tmp_path / "data", port=port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_it_starts_stops_all_of_it(folder: Path, number: int):
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.local"],
        cwd=ROOT,
        env={"DATA": str(folder), "PORT": "0", "PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
    ) as supervisor:
        deadline = time.monotonic() + 30
        while not ((state := RunState.load(folder)) and "upload-worker" in state.processes):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        everything = descendants([supervisor.pid])
        supervisor.send_signal(number)
        assert supervisor.wait(60) == 0
    wait_gone(everything, 1)


def test_it_ends_with_the_program_that_started_it(folder: Path):
    code = (
        "import sys,time,json; from pathlib import Path; from deploy.local import stack\n"
        "s = stack.start(Path(sys.argv[1])); print(s.state().supervisor, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        everything = descendants([int(starter.stdout.readline())])
        assert len(everything) > len(PROGRAMS)
        starter.kill()
    wait_gone(everything, 60)


def test_engines_of_others_are_used_instead_of_started(folder: Path, tmp_path: Path):
    with stack.start(folder) as own:
        known = credentials.load(folder)
        others = {
            "DATABASE_URL_ADMIN": postgres.admin_url(own.ports["postgres"], known["postgres_admin"]),
            "VALKEY_URL": valkey.url(own.ports["valkey"], known["valkey"]),
            "S3_ENDPOINT": f"http://127.0.0.1:{own.ports['store']}",
            "S3_ACCESS_KEY": known["store_access_key"],
            "S3_SECRET_KEY": known["store_secret_key"],
            "S3_BUCKET": "another",
        }
        # its databases are the same ones here, so its credentials have to be too
        data = tmp_path / "data"
        data.mkdir()
        (data / "secrets.json").write_text(json.dumps(dict(known)))
        with stack.start(data, environment=others) as guest:
            assert set(guest.state().processes) == PROGRAMS - {"postgres", "valkey", "store"}
            assert httpx.get(f"{guest.url}/health").status_code == 200
