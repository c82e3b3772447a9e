"""The command in this process, with folders of its own for what it remembers."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from deploy.local.stack import StartedStack
from tests.conftest import ROOT
from waystation.cli.main import app


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Command:
    """Runs `waystation` for one user."""

    environment: dict[str, str]

    def __call__(self, *arguments: object, stdin: str | None = None, server: str | None = None) -> Done:
        environment = self.environment | ({"WAYSTATION_SERVER": server} if server else {})
        done = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin, env=environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    def start(
        self, *arguments: object, server: str | None = None, stdin: int | None = None
    ) -> "subprocess.Popen[bytes]":
        """Run it as a process of its own."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "clients/python/src"), **self.environment}
        return subprocess.Popen(
            [sys.executable, "-m", "waystation", *map(str, arguments)],
            env=environment | ({"WAYSTATION_SERVER": server} if server else {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=stdin,
        )


@pytest.fixture
def command(stack: StartedStack, tmp_path: Path) -> Command:
    home = tmp_path / "home"
    return Command(
        {
            "WAYSTATION_SERVER": stack.url,
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "COLUMNS": "200",
        }
    )


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[..., Path]:
    def make(size: int, name: str = "sent.bin") -> Path:
        path = tmp_path / name
        path.write_bytes(os.urandom(size))
        return path

    return make


@pytest.fixture
def account(stack: StartedStack) -> tuple[str, str]:
    """The name and the password of a new account."""
    name, password = f"user-{secrets.token_hex(6)}", secrets.token_hex(12)
    httpx.post(f"{stack.url}/v1/auth/register", json={"name": name, "password": password}).raise_for_status()
    return name, password


def unfinished(command: Command) -> list[Path]:
    """The unfinished transfers that the command remembers."""
    folder = Path(command.environment["XDG_STATE_HOME"]) / "waystation"
    return sorted(folder.glob("*")) if folder.is_dir() else []
