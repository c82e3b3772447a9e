"""The generated credentials: who gets which, and that a second start changes nothing."""

import io
import json
import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.compose import make_secrets

READERS = (
    "auth",
    "auth-worker",
    "upload",
    "share",
    "chat",
    "gateway",
    "beat",
    "operator",
    "migrate",
    "postgres",
    "valkey",
    "store",
)
FOLDERS = (
    "vault",
    "data/postgres",
    "data/valkey",
    "data/store",
    "data/gateway",
    *(f"secrets/{name}" for name in READERS),
)


@pytest.fixture
def volumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty volumes, and a system that lets anyone give files away."""
    for name in FOLDERS:
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(os, "fchown", lambda *_: None)
    monkeypatch.setattr(os, "chown", lambda *_: None)
    return tmp_path


def contents(volumes: Path) -> dict[str, str]:
    return {str(path.relative_to(volumes)): path.read_text() for path in volumes.rglob("*") if path.is_file()}


def test_each_credential_is_long_and_given_to_those_who_need_it_alone(volumes: Path) -> None:
    make_secrets.main(volumes)
    found = contents(volumes)
    key: dict[str, str] = json.loads(found.pop("vault/credentials.json"))
    # The operator's container, which runs only for as long as one of its programs, is given all of them.
    operators = {name: found.pop(name) for name in list(found) if name.startswith("secrets/operator/")}
    assert json.loads(operators["secrets/operator/credentials"]) == key
    assert all(len(value) >= 20 for value in key.values())
    assert len(set(key.values())) == len(key)
    holders = {
        name: {path.split("/")[1] for path, text in found.items() if value in text} for name, value in key.items()
    }
    assert holders == {
        "postgres": {"postgres", "migrate"},
        "store_user": {"store", "upload"},
        "store_password": {"store", "upload"},
        "download_key": {"share"},
        "mirror_key": {"upload"},
        "gateway_token": {"gateway", "auth", "upload", "share", "chat"},
        "valkey_health": {"valkey"},
        "valkey_beat": {"beat"},
        "valkey_operator": set(),
        "admin_password": {"auth"},
        "service_auth": {"auth-worker", "auth"},
        **{f"service_{name}": {name, "auth"} for name in ("upload", "share", "chat")},
        "postgres_auth": {"auth", "auth-worker", "migrate"},
        "valkey_auth": {"auth", "auth-worker"},
        **{f"postgres_{name}": {name, "migrate"} for name in ("upload", "share", "chat")},
        **{f"valkey_{name}": {name} for name in ("upload", "share", "chat")},
    }


def test_urls_name_a_role_and_a_database_of_the_service_itself(volumes: Path) -> None:
    make_secrets.main(volumes)
    for name in make_secrets.SERVICES:
        url = urlsplit((volumes / "secrets" / name / "database_url").read_text())
        assert (url.username, url.path) == (name, f"/{name}")
        assert urlsplit((volumes / "secrets" / name / "valkey_url").read_text()).username == name


def test_every_file_can_be_read_by_its_owner_and_changed_by_nobody(volumes: Path) -> None:
    make_secrets.main(volumes)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in volumes.rglob("*") if path.is_file()}
    assert modes == {0o400}


def test_every_file_is_given_to_the_user_that_reads_it(volumes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, int] = {}

    def record(descriptor: int, uid: int, _: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        given[str(path.parent.relative_to(volumes))] = uid

    monkeypatch.setattr(os, "fchown", record)
    make_secrets.main(volumes)
    engines = {"secrets/postgres": 10003, "secrets/valkey": 10004, "secrets/store": 10002, "secrets/gateway": 10005}
    engines |= {"vault": os.getuid(), "secrets/operator": 0}
    assert given == {f"secrets/{name}": 10001 for name in READERS} | engines


def test_a_second_start_changes_nothing_and_brings_back_what_was_lost(volumes: Path) -> None:
    make_secrets.main(volumes)
    first = contents(volumes)
    (volumes / "secrets/share/service_secret").unlink()
    make_secrets.main(volumes)
    assert contents(volumes) == first


def test_a_newer_version_adds_its_credentials_to_the_old_ones(volumes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_secrets.main(volumes)
    first: dict[str, str] = json.loads((volumes / "vault/credentials.json").read_text())
    monkeypatch.setitem(make_secrets.CREDENTIALS, "new", 32)
    make_secrets.main(volumes)
    second: dict[str, str] = json.loads((volumes / "vault/credentials.json").read_text())
    assert second == first | {"new": second["new"]}


def test_a_vault_of_an_older_version_gains_what_accounts_need(volumes: Path) -> None:
    make_secrets.main(volumes)
    vault, auth = volumes / "vault/credentials.json", volumes / "secrets/auth"
    new = {"service_auth", "service_chat", "admin_password"}
    key: dict[str, str] = json.loads(vault.read_text())
    make_secrets.write(vault, json.dumps({name: value for name, value in key.items() if name not in new}), os.getuid())
    (auth / "admin_password").unlink()
    make_secrets.main(volumes)
    upgraded: dict[str, str] = json.loads(vault.read_text())
    assert {name for name, value in upgraded.items() if value != key[name]} == new
    assert (auth / "admin_password").read_text() == upgraded["admin_password"]
    secrets: dict[str, str] = json.loads((auth / "service_secrets").read_text())
    assert secrets == {name: upgraded[f"service_{name}"] for name in make_secrets.SERVICES}


def test_a_lost_vault_is_not_replaced_under_engines_that_have_data(volumes: Path) -> None:
    with pytest.raises(SystemExit, match="Restore the volume from a backup"):
        make_secrets.open_vault(volumes / "vault/credentials.json", in_use=True)
    assert not (volumes / "vault/credentials.json").exists()


def test_engines_elsewhere_take_the_place_of_those_of_the_project(
    volumes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL_ADMIN", "postgresql://root:s3cret@db.example:6432/postgres?sslmode=verify-full")
    monkeypatch.setenv("VALKEY_URL", "rediss://:pass@valkey.example:6380/3")
    monkeypatch.setenv("S3_ENDPOINT", "https://s3.example/")
    with pytest.raises(SystemExit, match="needs S3_ACCESS_KEY"):
        make_secrets.main(volumes)
    monkeypatch.setenv("S3_ACCESS_KEY", "an access key")
    monkeypatch.setenv("S3_SECRET_KEY", "a secret key")
    (volumes / "ca.pem").write_text("an authority")
    make_secrets.main(volumes)
    secrets = volumes / "secrets"
    url = urlsplit((secrets / "share/database_url").read_text())
    assert (url.hostname, url.port, url.username, url.path, url.query) == (
        *("db.example", 6432, "share", "/share", "sslmode=verify-full"),
    )
    assert (secrets / "beat/broker_url").read_text() == "rediss://:pass@valkey.example:6380/1"
    assert (secrets / "upload/s3_secret_key").read_text() == "a secret key"
    assert (secrets / "gateway/store_address").read_text() == "https://s3.example"
    assert (secrets / "gateway/store_host").read_text() == "s3.example"
    assert (secrets / "chat/ca.pem").read_text() == "an authority"
    assert not (secrets / "postgres/ca.pem").exists()
    (volumes / "ca.pem").write_text("")
    make_secrets.main(volumes)
    assert not (secrets / "chat/ca.pem").exists()


def test_the_authorities_are_there_whenever_a_container_may_start(
    volumes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It starts when the files that its variables name are there, also in the middle of a further start."""
    (volumes / "ca.pem").write_text("an authority")
    lacking: list[Path] = []
    write = make_secrets.write

    def look_and_write(path: Path, content: str, uid: int) -> None:
        folder = volumes / "secrets" / "chat"
        if (path.parent != folder or path.name != "ca.pem") and any(folder.iterdir()):
            lacking.extend([path] if not (folder / "ca.pem").exists() else [])
        write(path, content, uid)

    monkeypatch.setattr(make_secrets, "write", look_and_write)
    make_secrets.main(volumes)
    make_secrets.main(volumes)
    assert lacking == []


def test_until_a_backup_is_restored_only_engines_and_the_operator_get_their_secrets(
    volumes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"mirror_key": "ab" * 32, "of another kind of system": "x"}
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(given)))
    make_secrets.main(volumes, "restoring")
    with pytest.raises(SystemExit, match="not restored completely"):
        make_secrets.main(volumes)
    key: dict[str, str] = json.loads((volumes / "vault/credentials.json").read_text())
    assert (key["mirror_key"], set(key)) == (given["mirror_key"], set(make_secrets.CREDENTIALS))
    assert {path.name for path in (volumes / "secrets").iterdir() if any(path.iterdir())} == {
        *("postgres", "valkey", "store", "operator"),
    }
    make_secrets.main(volumes, "restored")
    assert (volumes / "secrets/upload/mirror_key").read_text() == given["mirror_key"]
    with pytest.raises(SystemExit, match="not empty"):
        make_secrets.main(volumes, "restoring")


def test_nothing_is_printed(volumes: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_secrets.main(volumes)
    assert capfd.readouterr() == ("", "")
