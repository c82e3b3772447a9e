"""The auth service over HTTP: secrets for tokens, tokens for trust."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from auth_service.app import create_app
from common.errors import Unauthenticated
from tests.conftest import MakeDatabase
from tests.integration.auth.running import MIGRATIONS, auth_settings, new_token, service_of
from tests.integration.share.running_share import SECRETS
from tests.serving import served


@pytest.fixture
def database_url(make_database: MakeDatabase) -> str:
    return make_database(MIGRATIONS)


@pytest.fixture
def auth_url(database_url: str, valkey_url: str) -> Iterator[str]:
    with served(create_app(auth_settings(database_url, valkey_url))) as url:
        yield url


async def test_a_service_is_known_by_the_token_that_it_got_for_its_secret(auth_url: str) -> None:
    assert await service_of(auth_url, await new_token(auth_url)) == "share"


@pytest.mark.parametrize(
    "asked",
    [
        {"service": "share", "secret": SECRETS["upload"]},
        {"service": "nobody", "secret": ""},
        {"service": "", "secret": ""},
    ],
)
def test_a_wrong_secret_is_refused(auth_url: str, asked: dict[str, str]) -> None:
    answer = httpx.post(f"{auth_url}/internal/service-tokens", json=asked)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzaGFyZSJ9."])
async def test_a_made_up_token_is_refused(auth_url: str, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await service_of(auth_url, token)


def test_processes_that_start_at_once_make_one_key(make_database: MakeDatabase, valkey_url: str) -> None:
    database_url = make_database(MIGRATIONS)
    settings = auth_settings(database_url, valkey_url)
    with served(create_app(settings)) as one, served(create_app(settings)) as other, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda url: httpx.get(f"{url}/internal/jwks").json(), [one, other] * 4))
    assert len({answer["keys"][0]["kid"] for answer in answers}) == 1
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from signing_key").fetchone() == (1,)


async def test_a_retired_key_is_replaced_and_its_tokens_are_accepted_while_it_is_published(
    auth_url: str, database_url: str
) -> None:
    old = await new_token(auth_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update signing_key set retired_at = now()")
    new = await new_token(auth_url)
    assert await service_of(auth_url, old) == await service_of(auth_url, new) == "share"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update signing_key set retired_at = now() - interval '184 days' where retired_at < now()")
    with pytest.raises(Unauthenticated):
        await service_of(auth_url, old)
    assert await service_of(auth_url, new) == "share"


def test_engines_that_are_down_keep_auth_from_nothing_but_being_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.db.ACQUIRE_SECONDS", 0.2)
    settings = auth_settings("postgresql://nobody:x@127.0.0.1:9/none", "redis://127.0.0.1:9/0")
    with served(create_app(settings)) as url:
        assert httpx.get(f"{url}/internal/health/live").status_code == 200
        answer = httpx.get(f"{url}/internal/health/ready", timeout=20)
        assert answer.status_code == 503
        assert answer.json() == {"database": "unavailable", "credentials": "unavailable"}
