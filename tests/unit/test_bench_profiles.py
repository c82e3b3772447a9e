"""Flame graphs of the benchmark. A stand-in for py-spy says what it was asked for, so no right to watch is needed."""

import json
import os
import sys
from pathlib import Path

import pytest

from tests.bench import options, profiles
from tests.bench.trees import Tree

STAND_IN = f"""#!{sys.executable}
import json, signal, sys
def end(*_):
    with open(sys.argv[sys.argv.index("--output") + 1], "w") as target:
        json.dump(sys.argv[1:], target)
    sys.exit(0)
signal.signal(signal.SIGINT, end)
if sys.argv[sys.argv.index("--pid") + 1] == "1":
    sys.exit("Permission Denied")
print("py-spy> Sampling process", flush=True)
signal.pause()
"""


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "py-spy"
    program.write_text(STAND_IN, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(profiles, "program", lambda: str(program))


def test_each_python_process_has_a_graph_of_each_path(tmp_path: Path) -> None:
    tree, folder = Tree(lambda: {"upload": os.getpid(), "worker": os.getppid(), "postgres": 1}), tmp_path / "graphs"
    with profiles.recorded(tree, folder, "file of 64 KiB by code"):
        assert not list(folder.iterdir()), "they are written at the end"
    asked = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()}
    assert set(asked) == {"file-of-64-kib-by-code-upload.svg", "file-of-64-kib-by-code-worker.svg"}
    assert asked["file-of-64-kib-by-code-upload.svg"][:3] == ["record", "--pid", str(os.getpid())]


def test_a_process_that_may_not_be_watched_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(profiles.ProfileFailed, match=r"Permission Denied\n.*ptrace_scope"),
        profiles.recorded(Tree(lambda: {"upload": 1}), tmp_path / "graphs", "form"),
    ):
        pass


def test_profiles_are_of_parts_that_exist() -> None:
    assert set(profiles.PARTS) <= set(options.PARTS)
    assert options.parse(["--profile"]).profile
    assert not options.parse([]).profile
