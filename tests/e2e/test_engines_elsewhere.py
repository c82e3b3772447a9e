"""The whole system on engines that it did not start, each of them behind TLS with an authority of its own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import httpx
import pytest

from deploy.local.stack import StartedStack, start
from tests.chaos.checks import contents, talks
from tests.chaos.client import Clients
from tests.chaos.ledger import Ledger
from tests.chaos.loads import everything
from tests.chaos.run import SETTINGS, new_world
from tests.chaos.source import running_source
from tests.chaos.world import World
from tests.engines import running_postgres, running_store, running_valkey
from tests.sentinel import watched_valkey
from tests.tls import HOST, behind_tls, new_authority

pytestmark = pytest.mark.long


async def test_every_engine_may_be_elsewhere_and_reached_by_tls_alone(tmp_path: Path) -> None:
    authority = new_authority(tmp_path)
    async with AsyncExitStack() as opened:
        (engines := tmp_path / "engines").mkdir()
        database = urlsplit(opened.enter_context(running_postgres(engines)))
        valkey = urlsplit(opened.enter_context(running_valkey(engines)))
        store = opened.enter_context(running_store(engines))

        async def secured(address: SplitResult, scheme: str, *, postgres: bool = False) -> SplitResult:
            port = await opened.enter_async_context(behind_tls(authority, address.port or 0, postgres=postgres))
            user = address.netloc.rpartition("@")[0]
            return address._replace(scheme=scheme, netloc=f"{user}@{HOST}:{port}" if user else f"{HOST}:{port}")

        verified = f"sslmode=verify-full&sslrootcert={authority.certificate}"
        settings = {
            **SETTINGS,
            "SSL_CERT_FILE": str(authority.certificate),
            "DATABASE_URL_ADMIN": (await secured(database, "postgresql", postgres=True))
            ._replace(query=verified)
            .geturl(),
            "VALKEY_URL": (await secured(valkey, "rediss")).geturl(),
            "S3_ENDPOINT": (await secured(urlsplit(store.endpoint), "https")).geturl(),
            "S3_ACCESS_KEY": store.access_key,
            "S3_SECRET_KEY": store.secret_key,
        }
        stack = await asyncio.to_thread(start, tmp_path / "data", environment=settings)
        opened.push_async_callback(asyncio.to_thread, stack.stop)
        assert not {"postgres", "valkey"} & stack.state().processes.keys()
        async with used(stack) as world:
            await everything(world, 1)
        async with httpx.AsyncClient(base_url=stack.url) as client:
            assert (await client.get("/health")).json()["detail"]["status"] == "ok"


async def test_the_system_goes_on_when_sentinel_has_made_another_valkey_primary(tmp_path: Path) -> None:
    async with AsyncExitStack() as opened:
        valkey = await opened.enter_async_context(watched_valkey(tmp_path))
        settings = {**SETTINGS, "STORE_SYNC": "0", "VALKEY_URL": valkey.url}
        stack = await asyncio.to_thread(start, tmp_path / "data", environment=settings)
        opened.push_async_callback(asyncio.to_thread, stack.stop)
        async with used(stack) as world:
            await everything(world, 1)
            await valkey.lose_primary()
            await everything(world, 2)


@asynccontextmanager
async def used(stack: StartedStack) -> AsyncGenerator[World]:
    """A world whose promises are checked after the block."""
    clients, ledger = Clients(stack.url), Ledger()
    try:
        async with running_source() as source:
            world = await new_world(stack, clients, ledger, source, [])
            yield world
            await contents.check(world)
            await talks.check(world)
    finally:
        await clients.close()
    assert not ledger.violations
    assert not clients.tally.wrong
