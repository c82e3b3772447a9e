"""The fixtures of the tests of replicas, for real servers."""

from tests.integration.upload.mirrors.replicas.conftest import (
    database,
    folder,
    pytest_generate_tests,
    running,
    server,
    started,
    system,
)

__all__ = ["database", "folder", "pytest_generate_tests", "running", "server", "started", "system"]
