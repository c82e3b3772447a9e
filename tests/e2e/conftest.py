"""The system whose processes are killed."""

from collections.abc import Iterator

import pytest

from deploy.local.stack import StartedStack
from tests.conftest import running_stack


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedStack]:
    """A system that does not wait long for a verification whose worker is dead."""
    with running_stack(tmp_path_factory, COMPLETE_WAIT_SECONDS="4") as stack:
        yield stack
