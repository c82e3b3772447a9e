"""The service that tests of tus call, on both kinds of store. Other modules have services of their own."""

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import Engines, MakeDatabase
from tests.integration.upload.dialects.tus_service import running_on
from tests.integration.upload.running_upload import UploadService


@pytest.fixture(scope="module", params=["s3", "folder"])
def service(
    request: pytest.FixtureRequest,
    make_database: MakeDatabase,
    engines: Engines,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[UploadService]:
    with running_on(request.param, make_database, engines, tmp_path_factory) as service:
        yield service


@pytest.fixture
def client(service: UploadService) -> httpx.Client:
    return service.client()
