"""The fixtures of the tests of replicas, for real servers."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from common.store import ObjectStore
from tests.integration.upload.mirrors.mirrored import Mirrored, mirrored
from tests.integration.upload.mirrors.replicas.conftest import (
    database,
    folder,
    pytest_generate_tests,
    running,
    server,
    started,
)
from tests.mirrors.real_servers import RULES

__all__ = ["database", "folder", "pytest_generate_tests", "running", "server", "started", "system"]


@pytest.fixture
async def system(database: str, store: ObjectStore, folder: Path) -> AsyncGenerator[Mirrored]:
    """A system that is as patient as a real one."""
    async with mirrored(database, store, folder, stall_seconds=RULES.stall_seconds) as system:
        yield system
