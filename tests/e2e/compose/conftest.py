"""One Compose project, brought up once for all tests that speak to it."""

import os
from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.compose.running import (
    System,
    copy_tree,
)


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    project = os.environ.get("WAYSTATION_TEST_PROJECT", f"waystation-test-{os.getpid()}")
    system = System(copy_tree(tmp_path_factory.mktemp("clone")), project)
    try:
        system.up("--build")
        yield system
    finally:
        system.down("--volumes", "--remove-orphans")


@pytest.fixture
def client(system: System) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=system.url, timeout=60, follow_redirects=True) as client:
        yield client


@pytest.fixture(scope="session")
def kept() -> dict[str, bytes]:
    """The content that tests stored, by its code."""
    return {}
