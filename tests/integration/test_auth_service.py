"""The auth service over HTTP: secrets for tokens, tokens for trust."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest

from auth_service.app import create_app
from auth_service.settings import AuthSettings
from common.errors import Unauthenticated
from common.http.service_tokens import TokenSource, TokenVerifier
from tests.conftest import ROOT, MakeDatabase
from tests.integration.running_share import SECRETS, served

MIGRATIONS = Path(ROOT / "services/auth/migrations")


@pytest.fixture
def database_url(make_database: MakeDatabase) -> str:
    return make_database(MIGRATIONS)


@pytest.fixture
def auth_url(database_url: str) -> Iterator[str]:
    settings = AuthSettings.model_validate({"database_url": database_url, "service_secrets": SECRETS})
    with served(create_app(settings)) as url:
        yield url


async def new_token(auth_url: str) -> str:
    async with httpx.AsyncClient() as client:
        return await TokenSource(client, auth_url=auth_url, service="share", secret=SECRETS["share"]).token()


async def service_of(auth_url: str, token: str) -> str:
    async with httpx.AsyncClient() as client:
        return await TokenVerifier(client, auth_url=auth_url).service(token)


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


def test_processes_that_start_at_once_make_one_key(make_database: MakeDatabase) -> None:
    database_url = make_database(MIGRATIONS)
    settings = AuthSettings.model_validate({"database_url": database_url, "service_secrets": SECRETS})
    with served(create_app(settings)) as one, served(create_app(settings)) as other, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda url: httpx.get(f"{url}/internal/jwks").json(), [one, other] * 4))
    assert len({answer["keys"][0]["kid"] for answer in answers}) == 1
    with psycopg.connect(database_url) as connection:
        assert connection.execute("select count(*) from signing_key").fetchone() == (1,)


async def test_a_retired_key_is_replaced_and_its_tokens_live_out_their_minutes(
    auth_url: str, database_url: str
) -> None:
    old = await new_token(auth_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update signing_key set retired_at = now()")
    new = await new_token(auth_url)
    assert await service_of(auth_url, old) == await service_of(auth_url, new) == "share"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("update signing_key set retired_at = now() - interval '5 minutes' where retired_at < now()")
    with pytest.raises(Unauthenticated):
        await service_of(auth_url, old)
    assert await service_of(auth_url, new) == "share"


def test_a_database_that_is_down_keeps_auth_from_nothing_but_being_ready() -> None:
    settings = {"database_url": "postgresql://nobody:x@127.0.0.1:9/none", "service_secrets": SECRETS}
    with served(create_app(AuthSettings.model_validate(settings))) as url:
        assert httpx.get(f"{url}/internal/health/live").status_code == 200
        assert httpx.get(f"{url}/internal/health/ready", timeout=20).status_code == 503
