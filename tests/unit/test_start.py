"""How programs of the system start."""

import subprocess
import sys
from pathlib import Path

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
