"""How programs of the system start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from common.start import UNUSABLE

PROGRAM = """
import gc, sys
from common.start import started
before = gc.isenabled()
started()
print(__name__, sys.argv[1:], before, gc.isenabled(), gc.get_freeze_count() > 0)
"""


def test_a_module_runs_as_the_program_and_collects_garbage_once_it_has_started(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "common.start", "program", "one", "--two"]
    output = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert output.strip() == "__main__ ['one', '--two'] False True True"


def test_a_program_that_was_started_otherwise_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "program"]
    output = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert output.strip() == "__main__ [] True True False"


@pytest.mark.parametrize(
    ("lines", "status", "last"),
    [
        ("Settings()", UNUSABLE, "Settings: LOG_LEVEL must be debug, info, warning or error, not 'loud'"),
        ("raise ValueError('other')", 1, "ValueError: other"),
    ],
)
def test_a_setting_that_cannot_be_used_ends_the_program_with_one_line(
    tmp_path: Path, lines: str, status: int, last: str
) -> None:
    (tmp_path / "program.py").write_text(f"from common.settings import Settings\n{lines}\n")
    command = [sys.executable, "-m", "common.start", "program"]
    ended = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "LOG_LEVEL": "loud"}
    )
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (status, last)
    assert ("Traceback" in ended.stderr) is (status != UNUSABLE)
