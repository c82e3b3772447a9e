"""The embedded stack on engines that others run, under a name and a password that its user chose."""

from collections.abc import Generator

import httpx
import pytest

from deploy.local import credentials, stack
from deploy.local.stack import StartedStack
from tests.engines import running_postgres, running_store, running_valkey
from tests.integration.embedded.looking import PROGRAMS, descendants, may_administrate, wait_gone

MINE = {"ADMIN_NAME": "Çelik", "ADMIN_PASSWORD": "of the user's own"}


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Generator[StartedStack]:
    data = tmp_path_factory.mktemp("others")
    with running_postgres(data) as postgres_url, running_valkey(data) as valkey_url, running_store(data) as store:
        others = {
            "DATABASE_URL_ADMIN": postgres_url,
            "VALKEY_URL": valkey_url,
            "S3_ENDPOINT": store.endpoint,
            "S3_ACCESS_KEY": store.access_key,
            "S3_SECRET_KEY": store.secret_key,
            "S3_BUCKET": "another",
        }
        with stack.start(tmp_path_factory.mktemp("guest") / "data", environment={**others, **MINE}) as guest:
            yield guest


def test_engines_of_others_are_used_instead_of_started(guest: StartedStack) -> None:
    assert set(guest.state().processes) == PROGRAMS - {"postgres", "valkey"}
    assert httpx.get(f"{guest.url}/health").status_code == 200


def test_a_password_of_the_users_own_opens_the_account_and_is_not_told(guest: StartedStack) -> None:
    assert may_administrate(guest, *MINE.values())
    generated = credentials.load(guest.folder)["admin_password"]
    assert not may_administrate(guest, "Çelik", generated)
    log = stack.tail(guest.folder, 100_000)
    assert not any(secret in log for secret in (MINE["ADMIN_PASSWORD"], generated))


def test_a_stop_leaves_nothing(guest: StartedStack) -> None:
    everything = descendants([guest.state().supervisor])
    guest.stop()
    wait_gone(everything)
    assert not (guest.folder / "run.json").exists()
