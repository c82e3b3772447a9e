"""A running auth service for the tests of each module, and someone who is signed in to it."""

from collections.abc import Iterator

import pytest

from tests.conftest import MakeDatabase
from tests.integration.auth.running import AuthService, Person, running_auth


@pytest.fixture(scope="module")
def auth(make_database: MakeDatabase, valkey_url: str) -> Iterator[AuthService]:
    with running_auth(make_database, valkey_url) as service:
        yield service


@pytest.fixture
def person(auth: AuthService) -> Person:
    return auth.sign_up()
