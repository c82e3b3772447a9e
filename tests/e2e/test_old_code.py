"""The version before runs on the tables of this one, as its replicas do in the middle of an upgrade."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from common.db.migrate import migrate
from deploy.local import credentials, places, postgres
from deploy.local.credentials import SERVICES
from deploy.local.services import Addresses
from deploy.local.stack import StartedStack, start
from tests.chaos.checks import contents, talks, transfers
from tests.chaos.client import Clients
from tests.chaos.ledger import Ledger
from tests.chaos.loads import everything
from tests.chaos.run import SETTINGS, mirror_servers, new_world
from tests.chaos.source import running_source
from tests.previous import NoHistory, new_migrations, previous, unpack

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]

LATER: frozenset[str] = frozenset()
"""The loads that use what the version before does not have."""
HEARD = ("share.complete", "drop.filled")
"""The events that webhooks of the version before are told of."""


async def test_the_version_before_serves_on_while_its_tables_are_migrated_and_afterwards(tmp_path: Path) -> None:
    if not new_migrations():
        pytest.skip("there is no migration that the version before has not")
    before = tmp_path / "before"
    try:
        python = unpack(previous().commit, before)
    except NoHistory as reason:
        pytest.skip(f"the version before cannot be had: {reason}")
    settings = {**SETTINGS, "STORE_SYNC": "0", "MIRROR_FOLDERS": str(tmp_path / "mirrors")}
    ledger = Ledger()
    with ExitStack() as opened:
        servers = mirror_servers(opened, tmp_path / "mirrors")
        stack = opened.enter_context(
            start(tmp_path / "data", environment=settings, python=str(python), checkout=before)
        )
        clients = Clients(stack.url)
        async with running_source() as source:
            world = await new_world(stack, clients, ledger, source, servers, HEARD)
            await everything(world, 1, without=LATER)
            await asyncio.gather(everything(world, 2, without=LATER), asyncio.to_thread(apply_migrations, stack))
            for name in (*SERVICES, "worker"):
                await asyncio.to_thread(lambda name=name: stack.wait_restarted(name, stack.kill(name)))
            await everything(world, 3, without=LATER)
            await transfers.check(world, servers)
            await contents.check(world)
            await talks.check(world)
        await clients.close()
    assert not ledger.violations
    assert not clients.tally.wrong


def apply_migrations(stack: StartedStack) -> None:
    """Bring the databases to this version, as an upgrade does first."""
    known = credentials.load(stack.folder)
    admin = postgres.admin_url(stack.ports["postgres"], known["postgres_admin"])
    addresses = Addresses(admin, "", stack.ports)
    applied = [
        name
        for service in SERVICES
        for name in migrate(addresses.database_url(service, known[f"postgres_{service}"]), places.migrations(service))
    ]
    assert len(applied) == len(new_migrations())
