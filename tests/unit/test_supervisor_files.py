"""The files of the supervisor: settings, credentials, the lock, the state, the log, ports."""

import asyncio
import io
import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from auth_service.settings import AuthSettings
from auth_service.settings import WorkerSettings as AuthWorkerSettings
from chat_service.settings import ChatSettings
from chat_service.settings import WorkerSettings as ChatWorkerSettings
from deploy.local import credentials, gateway, ports, settings, store
from deploy.local.files import FolderInUse, locked, write_private
from deploy.local.log import Log
from deploy.local.processes import folder_mark, started
from deploy.local.services import ROOT, Addresses, Services, worker_prefix
from deploy.local.settings import POLICY_NAMES, S3Server, SettingsError, StackSettings
from deploy.local.state import Process, RunState, stop_leftovers
from deploy.local.store import StoreElsewhere
from share_service.settings import ShareSettings
from share_service.settings import WorkerSettings as ShareWorkerSettings
from upload_service.settings import UploadSettings

SETTINGS: dict[str, type[BaseSettings]] = {
    "auth": AuthSettings,
    "upload": UploadSettings,
    "share": ShareSettings,
    "chat": ChatSettings,
}
WORKER_SETTINGS: dict[str, type[BaseSettings]] = {
    "auth": AuthWorkerSettings,
    "upload": UploadSettings,
    "share": ShareWorkerSettings,
    "chat": ChatWorkerSettings,
}
ADDRESSES = Addresses(
    database_admin_url="postgresql://admin:pw@db.example:5433/postgres?sslmode=require",
    valkey_url="redis://:pw@127.0.0.1:7000/0",
    service_ports={"auth": 1, "upload": 2, "share": 3, "chat": 4},
)
FOR_HTTP_ALONE = {"GATEWAY_TOKEN"}
"""Settings that the processes with HTTP are given, and the workers are not."""
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def services(tmp_path: Path) -> Services:
    server = S3Server("http://127.0.0.1:7001", "access", "secret")
    chosen = StackSettings(tmp_path, store="s3", store_folder=tmp_path, s3=server)
    return Services(chosen, credentials.load(tmp_path), ADDRESSES)


def test_a_folder_of_the_data_is_the_store_unless_another_is_named(tmp_path: Path):
    def given(environment: dict[str, str]) -> dict[str, str]:
        read = settings.read({"DATA": str(tmp_path), **environment})
        found = Services(read, credentials.load(tmp_path), ADDRESSES).environment("upload")
        return {name: value for name, value in found.items() if name.startswith(("STORE", "S3"))}

    server = {"S3_ENDPOINT": "http://x", "S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "s"}
    assert given({}) == {"STORE": "folder", "STORE_FOLDER": str(tmp_path / "store")}
    assert given({"STORE_FOLDER": "/mnt/files"}) == {"STORE": "folder", "STORE_FOLDER": "/mnt/files"}
    assert given({"STORE": "folder", **server}) == given({})
    assert given({**server, "S3_BUCKET": "b"}) == {"STORE": "s3", **server, "S3_REGION": "us-east-1", "S3_BUCKET": "b"}


@pytest.mark.parametrize("service", SETTINGS)
def test_every_setting_of_a_service_is_given_or_may_be_set_by_the_user(services: Services, service: str):
    fields = {name.upper() for name in SETTINGS[service].model_fields}
    assert fields - set(services.environment(service)) - POLICY_NAMES == FOR_HTTP_ALONE
    server = next(program for program in services.servers() if program.name == service)
    assert set(server.environment) >= FOR_HTTP_ALONE


@pytest.mark.parametrize("service", WORKER_SETTINGS)
def test_every_setting_of_a_worker_is_given_or_may_be_set_by_the_user(services: Services, service: str):
    fields = {name.upper() for name in WORKER_SETTINGS[service].model_fields}
    assert fields - set(services.worker_environment(service)) - POLICY_NAMES - FOR_HTTP_ALONE == set()
    assert not FOR_HTTP_ALONE & set(services.worker_environment(service))


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("S3_SECRET_KEY", "upload"),
        ("SERVICE_SECRETS", "auth"),
        ("ADMIN_PASSWORD", "auth"),
        ("DOWNLOAD_KEY_SECRET", "share"),
        ("MIRROR_KEY", "upload"),
    ],
)
def test_a_credential_is_told_to_the_one_service_that_needs_it(services: Services, name: str, owner: str):
    assert [service for service in SETTINGS if name in services.environment(service)] == [owner]
    assert "auth" not in [service for service in WORKER_SETTINGS if name in services.worker_environment(service)]


def test_auth_knows_everybodys_secret_and_everybody_else_their_own(services: Services, tmp_path: Path):
    known = credentials.load(tmp_path)
    assert json.loads(services.environment("auth")["SERVICE_SECRETS"]) == {
        name: known[f"service_{name}"] for name in SETTINGS
    }
    assert "SERVICE_SECRET" not in services.environment("auth")
    for service in ("upload", "share", "chat"):
        assert services.environment(service)["SERVICE_SECRET"] == known[f"service_{service}"]
    assert services.worker_environment("auth")["SERVICE_SECRET"] == known["service_auth"]


def test_the_users_password_for_the_administrator_wins_over_the_generated_one(tmp_path: Path):
    read = settings.read({"DATA": str(tmp_path), "ADMIN_PASSWORD": "the user's own"})
    assert "the user's own" not in repr(read)
    chosen = Services(read, credentials.load(tmp_path), ADDRESSES)
    assert chosen.environment("auth")["ADMIN_PASSWORD"] == "the user's own"
    assert "the user's own" not in [*chosen.worker_environment("auth").values(), *chosen.environment("share").values()]


@pytest.mark.parametrize("service", WORKER_SETTINGS)
def test_the_worker_finds_the_settings_of_each_service_under_its_name(
    services: Services, service: str, monkeypatch: pytest.MonkeyPatch
):
    environment = services.worker().environment
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    read = WORKER_SETTINGS[service](_env_prefix=worker_prefix(service)).model_dump()
    assert read["database_url"].get_secret_value() == services.worker_environment(service)["DATABASE_URL"]
    assert read["service_secret"].get_secret_value() == services.worker_environment(service)["SERVICE_SECRET"]


def test_a_setting_of_the_user_reaches_the_worker(tmp_path: Path):
    chosen = StackSettings(tmp_path, policy={"GARBAGE_GRACE_SECONDS": "7", "LOG_LEVEL": "debug"})
    environment = Services(chosen, credentials.load(tmp_path), ADDRESSES).worker().environment
    assert environment["UPLOAD_WORKER_GARBAGE_GRACE_SECONDS"] == "7"
    assert environment["LOG_LEVEL"] == "debug"


def test_no_credential_stands_on_a_command_line(services: Services, tmp_path: Path):
    known = set(credentials.load(tmp_path).values())
    for process in [services.migrations(), *services.servers(), services.worker()]:
        assert not any(secret in argument for secret in known for argument in process.command)


def test_databases_are_made_on_the_external_server(services: Services, tmp_path: Path):
    url = services.environment("share")["DATABASE_URL"]
    password = credentials.load(tmp_path)["postgres_share"]
    assert url == f"postgresql://share:{password}@db.example:5433/share?sslmode=require"
    assert services.environment("share")["BROKER_URL"] == "redis://:pw@127.0.0.1:7000/1"


def test_settings_come_from_the_environment_and_nothing_else_of_it_passes():
    read = settings.read(
        {
            "DATA": "/srv/data",
            "PORT": "9000",
            "UPLOAD_SIZE": "5",
            "UPLOAD_URL": "http://evil",
            "HTTP_PROXY": "x",
            "PATH": "/bin",
        }
    )
    assert (read.data, read.port, read.host) == (Path("/srv/data"), 9000, "127.0.0.1")
    assert read.policy == {"UPLOAD_SIZE": "5"}
    assert read.system == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "environment",
    [
        {"PORT": "http"},
        {"PORT": "65536"},
        {"PORT": "-1"},
        {"HOST": "mybox"},
        {"S3_ENDPOINT": "http://x"},
        {"STORE": "s3"},
        {"STORE": "tape"},
    ],
)
def test_unusable_settings_are_refused(environment: dict[str, str]):
    with pytest.raises(SettingsError):
        settings.read(environment)


@pytest.mark.parametrize(
    ("endpoint", "address", "host"),
    [
        ("http://127.0.0.1:9000", "127.0.0.1:9000", "127.0.0.1:9000"),
        ("https://s3.example", "https://s3.example", "s3.example"),
    ],
)
def test_the_gateway_asks_the_store_by_the_name_that_urls_are_signed_for(endpoint: str, address: str, host: str):
    assert gateway.s3_server(endpoint) == {"GATEWAY_STORE": "s3", "STORE_ADDRESS": address, "STORE_HOST": host}


def test_credentials_are_kept_private_and_completed(tmp_path: Path):
    first = credentials.load(tmp_path)
    path = tmp_path / "secrets.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = {name: value for name, value in json.loads(path.read_text()).items() if name != "download_key"}
    write_private(path, json.dumps(kept))
    second = credentials.load(tmp_path)
    assert second["valkey"] == first["valkey"]
    assert second["download_key"] != first["download_key"]
    assert len(set(second.values())) == len(credentials.NAMES)
    assert second["valkey"] not in repr(second)
    assert (first.generated, second.generated) == (set(credentials.NAMES), {"download_key"})


def test_a_folder_of_an_older_version_gains_what_is_new(tmp_path: Path):
    new = {"service_auth", "service_chat", "admin_password"}
    old = {name: value for name, value in credentials.load(tmp_path).items() if name not in new}
    write_private(tmp_path / "secrets.json", json.dumps(old))
    upgraded = credentials.load(tmp_path)
    assert upgraded.generated == new
    assert {name: upgraded[name] for name in old} == old
    assert credentials.load(tmp_path) == upgraded


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path):
    path = tmp_path / "file"
    write_private(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\udcff")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_write_left_goes_with_the_next(tmp_path: Path):
    path = tmp_path / "file"
    killed = f"""
import os, signal
from pathlib import Path
from deploy.local import files
files.os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
files.write_private(Path({str(path)!r}), "secret")
"""
    ended = subprocess.run([sys.executable, "-c", killed], cwd=ROOT)
    assert ended.returncode == -9
    assert path not in list(tmp_path.iterdir())
    write_private(path, "another secret")
    assert list(tmp_path.iterdir()) == [path]


def test_a_locked_folder_names_its_owner(tmp_path: Path):
    with locked(tmp_path), pytest.raises(FolderInUse) as refused, locked(tmp_path):
        pass
    assert refused.value.pid == str(os.getpid())
    with locked(tmp_path):
        pass


def test_chosen_ports_are_free_different_and_not_the_kernels_to_give_away():
    chosen = ports.choose(20)
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert len(set(chosen)) == 20
    assert all(ports.is_free(port) and port < lowest for port in chosen)


def test_a_port_in_use_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not ports.is_free(server.getsockname()[1])


def test_json_becomes_readable_and_noise_disappears():
    output = io.StringIO()
    take = Log(output).sink("upload", noise="^hello")
    take('{"event": "stored", "level": "info", "timestamp": "2026-01-02T03:04:05Z", "service": "upload", "size": 3}')
    take("hello, I am a banner")
    take("plain")
    take('{"broken')
    lines = [line.split("│", 1)[1] for line in output.getvalue().splitlines()]
    assert lines[0].endswith("info    stored size=3")
    assert lines[1:] == [" plain", ' {"broken']


def test_json_stays_json_when_asked_for():
    output = io.StringIO()
    log = Log(output, raw_json=True)
    log.sink("upload", None)('{"event": "stored"}')
    assert output.getvalue() == '{"event": "stored"}\n'
    log.say("ready")
    for line in ("LOG: ready", '{"broken'):
        log.sink("postgres", None)(line)
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [(line.get("service"), line["event"]) for line in lines[1:]] == [
        ("stack", "ready"),
        ("postgres", "LOG: ready"),
        ("postgres", '{"broken'),
    ]


def test_the_log_survives_its_reader():
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    log = Log(Gone())
    log.say("one")
    log.say("two")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"processes": {"x": {"pid": 1}}}', '{"processes": {}, "new": 1}'])
def test_an_unreadable_state_counts_as_none(tmp_path: Path, content: str):
    (tmp_path / "run.json").write_text(content)
    assert RunState.load(tmp_path) is None


def test_leftovers_are_stopped_and_a_reused_number_is_not(tmp_path: Path):
    with subprocess.Popen(SLEEP, start_new_session=True) as ours, subprocess.Popen(SLEEP) as somebody:
        mark = started(ours.pid)
        assert mark
        state = RunState()
        state.processes = {
            "store": Process(ours.pid, mark, 15, 5.0),
            "valkey": Process(somebody.pid, f"{mark}0", 15, 5.0),
        }
        state.save(tmp_path)
        assert asyncio.run(stop_leftovers(tmp_path)) == ["store"]
        assert somebody.poll() is None
        somebody.kill()
    assert RunState.load(tmp_path) is None


def test_what_a_dead_leader_left_in_its_group_is_killed(tmp_path: Path):
    name, _, value = folder_mark(tmp_path).partition("=")
    leader = "import subprocess,sys; print(subprocess.Popen(sys.argv[1:], stdout=2).pid)"
    with subprocess.Popen(
        [sys.executable, "-c", leader, *SLEEP],
        env={name: value},
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        orphan = int(process.stdout.readline())
    state = RunState()
    state.processes = {"worker": Process(process.pid, "gone", 15, 5.0)}
    state.save(tmp_path)
    assert started(orphan)
    asyncio.run(stop_leftovers(tmp_path))
    # Who was killed is gone as soon as the kernel comes to it.
    until = time.monotonic() + 10
    while started(orphan):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_store_is_recorded_and_another_one_is_refused_in_one_line(tmp_path: Path):
    store.check(tmp_path, "folder")
    store.check(tmp_path, "folder")
    with pytest.raises(StoreElsewhere, match=r"set S3_ENDPOINT|unset S3_ENDPOINT") as refused:
        store.check(tmp_path, "s3")
    assert "make store-move TO=s3" in str(refused.value)
    assert "\n" not in str(refused.value)
    store.record(tmp_path, "s3")
    store.check(tmp_path, "s3")
    with pytest.raises(StoreElsewhere, match="make store-move TO=folder"):
        store.check(tmp_path, "folder")


@pytest.mark.parametrize("place", ["store", "store.juicefs"])
def test_files_of_an_earlier_version_are_never_taken_for_none(tmp_path: Path, place: str):
    (tmp_path / place / "meta").mkdir(parents=True)
    with pytest.raises(StoreElsewhere, match="make store-move TO=folder"):
        store.check(tmp_path, "folder")
    # They were left behind when a server was chosen.
    store.check(tmp_path, "s3")
    store.record(tmp_path, "folder")
    store.check(tmp_path, "folder")
