"""Valkey by `rediss://`: each kind of client checks its certificate, and none speaks without TLS."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from kombu.exceptions import OperationalError
from redbeat.schedulers import get_redis
from redis import Redis
from redis import asyncio as redis_asyncio
from redis.exceptions import RedisError

from common.queue.app import create_celery, waiting
from common.queue.schedule import create_beat
from common.valkey import Pipe, client_options
from tests.tls import HOST, Authority, behind_tls, new_authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def url(valkey_url: str, authority: Authority) -> AsyncGenerator[str]:
    """The URL of Valkey behind TLS, another one for each test: the queue keeps connections for the next who asks."""
    parts = urlsplit(valkey_url)
    async with behind_tls(authority, parts.port or 0) as port:
        yield urlunsplit(parts._replace(scheme="rediss", netloc=f":{parts.password}@{HOST}:{port}"))


async def pipe(url: str) -> None:
    connection = Pipe(url)
    try:
        assert await connection.call("PING") == b"PONG"
    finally:
        await connection.close()


async def library(url: str) -> None:
    async with aclosing(redis_asyncio.Redis.from_url(url, **client_options())) as connection:
        assert await connection.ping()


def blocking_library(url: str) -> None:
    with Redis.from_url(url, **client_options()) as connection:
        assert connection.ping()


def queue(url: str) -> None:
    name = secrets.token_hex(8)
    app = create_celery(name, url)
    app.send_task("any", retry=False)
    assert waiting(app, name) == 1
    with app.connection_or_acquire() as connection:
        connection.default_channel.queue_purge(name)


def beat(url: str) -> None:
    assert get_redis(create_beat(url)).ping()


async def ask_all(url: str) -> None:
    await pipe(url)
    await library(url)
    for blocking in (blocking_library, queue, beat):
        await asyncio.to_thread(blocking, url)


async def test_every_client_reaches_valkey_through_tls(
    url: str, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    await ask_all(url)


async def test_no_client_trusts_a_certificate_of_an_unknown_authority(url: str) -> None:
    for ask in (pipe, library):
        with pytest.raises(RedisError, match="certificate verify failed"):
            await ask(url)
    for ask in (blocking_library, queue, beat):
        with pytest.raises((RedisError, OperationalError), match="certificate verify failed"):
            await asyncio.to_thread(ask, url)


async def test_no_client_trusts_a_certificate_of_another_host(
    url: str, tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = new_authority(tmp_path, "elsewhere.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.certificate))
    async with behind_tls(other, urlsplit(valkey_url).port or 0) as port:
        wrong = urlunsplit(urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition(":")[0] + f":{port}"))
        for ask in (pipe, library):
            with pytest.raises(RedisError, match="certificate verify failed"):
                await ask(wrong)
        for ask in (blocking_library, queue, beat):
            with pytest.raises((RedisError, OperationalError), match="certificate verify failed"):
                await asyncio.to_thread(ask, wrong)
