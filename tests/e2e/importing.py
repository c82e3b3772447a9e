"""The operator's command that imports, on the system of a test."""

import os
import subprocess
import sys

from deploy.local.places import ROOT
from deploy.local.settings import SYSTEM_NAMES
from deploy.local.stack import StartedStack
from tests.e2e.faults import PATIENCE


def begin(stack: StartedStack, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
    inherited = {name: os.environ[name] for name in SYSTEM_NAMES if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "common.start", "deploy.importing", *arguments],
        cwd=ROOT,
        env={**inherited, **settings, "DATA": str(stack.folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(stack: StartedStack, *arguments: str, **settings: str) -> tuple[int, str]:
    process = begin(stack, *arguments, **settings)
    output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, output
