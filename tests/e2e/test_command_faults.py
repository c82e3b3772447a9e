"""The command while parts of the system die under it."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local.stack import StartedStack
from tests.conftest import ROOT
from tests.contract.command.cutting import CuttingProxy

MIB = 1024 * 1024
SIZE = 24 * MIB + 5


def started(home: Path, server: str, *arguments: object) -> "subprocess.Popen[str]":
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "clients/python/src"),
        "WAYSTATION_SERVER": server,
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
    }
    command = [sys.executable, "-m", "waystation", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


# Until the reservation of a writer that died has run out, nobody else may write.
@pytest.mark.parametrize("victim", ["share", pytest.param("upload", marks=pytest.mark.long)])
def test_a_receiver_who_came_first_gets_the_file_though_a_service_dies_meanwhile(
    stack: StartedStack, tmp_path: Path, victim: str
) -> None:
    sent = tmp_path / "sent.bin"
    sent.write_bytes(os.urandom(SIZE))
    with CuttingProxy(urlsplit(stack.url).port or 80) as proxy:
        proxy.hold_after(12 * MIB)
        with started(tmp_path / "sender", proxy.url, "send", "-q", sent) as sender:
            assert sender.stdout is not None
            code = sender.stdout.readline().strip()
            assert proxy.held.wait(60)
            with started(tmp_path / "receiver", stack.url, "get", code, "-d", tmp_path / "in") as receiver:
                stack.wait_restarted(victim, stack.kill(victim))
                proxy.release()
                outcomes = [process.communicate(timeout=120) for process in (sender, receiver)]
    assert [sender.returncode, receiver.returncode] == [0, 0], outcomes
    arrived = (tmp_path / "in" / "sent.bin").read_bytes()
    assert hashlib.sha256(arrived).digest() == hashlib.sha256(sent.read_bytes()).digest()
