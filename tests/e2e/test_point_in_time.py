"""A system is brought back to a moment, by the log that its PostgreSQL has archived, as docs/operate.md says."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from deploy.local import binaries
from deploy.local.stack import StartedStack, start
from tests.conftest import LIMITS
from tests.engines import running_postgres

pytestmark = pytest.mark.long

SETTINGS = {**dict.fromkeys(LIMITS, "1000"), "STORE_SYNC": "0", "GARBAGE_GRACE_SECONDS": "86400"}
PATIENCE_SECONDS = 60


def test_what_was_deleted_after_a_moment_is_there_again_and_what_came_later_is_not(tmp_path: Path) -> None:
    archive, base, data = tmp_path / "archive", tmp_path / "base", tmp_path / "data"
    archive.mkdir()
    # PostgreSQL runs as another user here.
    archive.chmod(0o777)
    tmp_path.chmod(0o755)
    (first := tmp_path / "first").mkdir()
    archiving = f"archive_command=test ! -f {archive}/%f && cp %p {archive}/%f"
    with running_postgres(first, "-c", "archive_mode=on", "-c", archiving) as url:
        back_up(url, base)
        with start(data, environment={**SETTINGS, "DATABASE_URL_ADMIN": url}) as stack:
            deleted, key = sent(stack, b"deleted after the moment")
            moment = value(url, "postgres", "select clock_timestamp()::text")
            forget(stack, deleted, key)
            later, _ = sent(stack, b"came after the moment")
            # Only the grace keeps the content now.
            wait(lambda: value(url, "upload", "select count(*) from blob where refs = 0") == 1)
    # Valkey holds texts of a later moment.
    shutil.rmtree(data / "valkey")

    (second := tmp_path / "second" / "postgres").mkdir(parents=True)
    base.rename(second / "cluster")
    (second / "cluster" / "recovery.signal").touch()
    options = {
        "restore_command": f"cp {archive}/%f %p",
        "recovery_target_time": moment,
        "recovery_target_action": "promote",
    }
    given = [part for name, text in options.items() for part in ("-c", f"{name}={text}")]
    with running_postgres(second.parent, *given, password=str(conninfo_to_dict(url)["password"])) as restored:
        wait(lambda: value(restored, "postgres", "select pg_is_in_recovery()") is False)
        with start(data, environment={**SETTINGS, "DATABASE_URL_ADMIN": restored}) as stack:
            found = httpx.get(f"{stack.url}/file/{deleted}")
            assert (found.status_code, found.content) == (200, b"deleted after the moment")
            assert httpx.get(f"{stack.url}/file/{later}").status_code == 404
            assert httpx.get(f"{stack.url}/health").json()["detail"]["status"] == "ok"


def back_up(url: str, folder: Path) -> None:
    """Copy the running server's files."""
    known = conninfo_to_dict(url)
    command = [str(binaries.postgres("pg_basebackup")), "--pgdata", str(folder), "--checkpoint", "fast", "--no-sync"]
    command += ["--host", str(known["host"]), "--port", str(known["port"]), "--username", str(known["user"])]
    subprocess.run(command, env={**os.environ, "PGPASSWORD": str(known["password"])}, check=True)


def sent(stack: StartedStack, content: bytes) -> tuple[str, str]:
    """The link of a new file, and the key by which it is deleted."""
    answer = httpx.post(f"{stack.url}/api/upload", files={"file": ("a.txt", content)}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["file_url"], answer.json()["key"]


def forget(stack: StartedStack, link: str, key: str) -> None:
    httpx.get(f"{stack.url}/api/delete/{link}", params={"key": key}, timeout=60).raise_for_status()
    assert httpx.get(f"{stack.url}/file/{link}").status_code == 404


def value(url: str, database: str, statement: str) -> object:
    with psycopg.connect(url, dbname=database) as connection:
        row = connection.execute(statement.encode()).fetchone()
        assert row
        return row[0]


def wait(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.1)
