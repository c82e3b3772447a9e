"""The engines in containers: reachable from this machine alone, and by nobody without the generated credentials."""

import httpx
import psycopg
import pytest
import redis

from tests import containers

pytestmark = pytest.mark.docker


def test_postgres_refuses_another_password() -> None:
    with containers.running_postgres() as url:
        assert "@127.0.0.1:" in url
        with psycopg.connect(url) as connection:
            assert connection.info.server_version // 10000 == 17
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace("postgres:", "postgres:x"))


def test_valkey_refuses_who_does_not_sign_in() -> None:
    with containers.running_valkey() as url:
        with redis.Redis.from_url(url) as client:
            assert client.set("key", "value")
        address = url.partition("@")[2]
        with redis.Redis.from_url(f"redis://{address}") as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_store_refuses_an_unsigned_request() -> None:
    with containers.running_store() as address:
        assert httpx.get(f"{address.endpoint}/").status_code == 403
