"""Others may take this system over: its licence, its version, and the licences of what it carries."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from common.version import VERSION
from deploy import notices

ROOT = Path(__file__).parents[2]
PROJECTS = [
    ROOT / "pyproject.toml",
    ROOT / "libs/common/pyproject.toml",
    *sorted(ROOT.glob("services/*/pyproject.toml")),
    ROOT / "clients/python/pyproject.toml",
]
CARRIED = {package.name: package for package in notices.packages(ROOT / "requirements-run.lock")}


def test_every_package_has_the_version_and_the_licence_of_the_whole() -> None:
    for project in PROJECTS:
        told = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
        assert (told["version"], told["license"]) == (VERSION, "Apache-2.0"), project
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(CARRIED))
def test_the_licence_of_what_is_carried_allows_ours(name: str) -> None:
    assert CARRIED[name].is_allowed, CARRIED[name].licence


def test_notices_name_every_package_and_engine_and_hold_their_texts() -> None:
    text = notices.document(list(CARRIED.values()))
    locked = re.findall(
        r"^([a-z0-9.-]+)==", (ROOT / "requirements-runtime.lock").read_text(encoding="utf-8"), re.MULTILINE
    )
    elsewhere = {"async-timeout", "tzdata", "colorama"}
    assert {name for name in locked if f"\n{name} " not in text} <= elsewhere
    for words in ("carries PostgreSQL", "carries Valkey", "carries Caddy", "GNU LESSER GENERAL PUBLIC LICENSE"):
        assert words in text


def test_a_licence_counts_by_its_best_alternative_and_its_worst_part() -> None:
    for licence, allowed in (
        ("EPL-2.0 OR GPL-2.0-or-later", True),
        ("GPL-3.0-only", False),
        ("MIT AND GPL-3.0-only", False),
        ("unknown", False),
    ):
        assert notices.Package("a", "1", licence, ()).is_allowed is allowed


@pytest.mark.parametrize("module", ["deploy.local", "waystation"])
def test_each_command_says_its_version(module: str) -> None:
    said = subprocess.run(
        [sys.executable, "-m", module, "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout == f"waystation {VERSION}\n"
