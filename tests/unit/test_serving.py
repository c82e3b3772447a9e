"""A service that is told to stop ends without failing a request."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from common.db import awaiting
from common.http.serving import refuse_connections
from deploy.local import ports

PROGRAM = """
from fastapi import FastAPI
from contextlib import asynccontextmanager
from common.http import app
from common.settings import GatewaySettings

@asynccontextmanager
async def nothing(_):
    yield

def create():
    return app.create_app(name="tried", settings=GatewaySettings(), lifespan=nothing, routers=[], checks={})
"""
LIVE, READY = "/internal/health/live", "/internal/health/ready"


@contextmanager
def service(folder: Path) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    (folder / "tried.py").write_text(PROGRAM)
    (port,) = ports.choose(1)
    command = [sys.executable, "-m", "common.start", "common.http.serving", "tried:create", "--port", str(port)]
    process = subprocess.Popen([*command, "--pause", "1"], cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)})
    try:
        deadline = time.monotonic() + 30
        while ask(port, LIVE) is None:
            assert process.poll() is None
            assert time.monotonic() < deadline
        yield process, port
    finally:
        process.kill()
        process.wait()


def ask(port: int, path: str) -> tuple[int, str | None] | None:
    """The status, and what the answer says about the connection; None: nobody listens. Anything else is raised."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.connect()
    except ConnectionRefusedError:
        return None
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("Connection")


def test_an_end_fails_no_request_and_is_told_before(tmp_path: Path) -> None:
    broken: list[Exception] = []
    with service(tmp_path) as (process, port):
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        kept.request("GET", LIVE)
        assert kept.getresponse().read()
        assert ask(port, READY) == (200, None)

        def hammer() -> None:
            try:
                while ask(port, LIVE):
                    pass
            except Exception as error:  # noqa: BLE001
                broken.append(error)

        hammers = [threading.Thread(target=hammer) for _ in range(4)]
        for each in hammers:
            each.start()
        process.send_signal(signal.SIGTERM)
        while (told := ask(port, READY)) == (200, None):
            pass
        assert told == (503, "close")
        # A connection that was kept is served once more, and then it is closed.
        kept.request("GET", LIVE)
        assert kept.getresponse().getheader("Connection") == "close"
        for each in hammers:
            each.join(20)
        process.wait(20)
    assert not broken, broken


def test_nobody_can_connect_any_more_but_whoever_has_is_answered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address) as early:
            refuse_connections(listener.fileno())
            with pytest.raises(TimeoutError):
                socket.create_connection(address, timeout=0.2)
            early.sendall(b"a request")
            taken, _ = listener.accept()
            with taken:
                assert taken.recv(20) == b"a request"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)


def test_a_program_begins_when_its_database_has_all_migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("0001_a.sql", "0002_b.sql"):
        (tmp_path / name).touch()
    states = [set[str](), {"0001_a.sql"}, {"0001_a.sql", "0002_b.sql", "0003_newer.sql"}]
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere")
    monkeypatch.setattr(awaiting, "INTERVAL_SECONDS", 0)
    monkeypatch.setattr(awaiting, "_applied", lambda _: states.pop(0))
    awaiting.until_migrated(str(tmp_path))
    assert not states
