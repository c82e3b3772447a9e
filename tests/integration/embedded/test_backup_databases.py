"""The moment of the databases that a backup holds, on one PostgreSQL."""

from pathlib import Path

import psycopg
import pytest

from common.settings import StoreSettings
from deploy.backup import databases
from deploy.backup.errors import BackupError
from deploy.backup.systems import System
from deploy.local import binaries


class OneDatabase(System):
    """A system whose databases are all the administrator's own."""

    def admin_url(self, database: str) -> str:
        return self.database_admin_url


@pytest.fixture
def system(postgres_url: str, tmp_path: Path) -> System:
    store = StoreSettings(store="folder", store_folder=str(tmp_path))
    return OneDatabase(postgres_url, "redis://127.0.0.1:9", store, {}, binaries.postgres)


async def test_a_postgresql_that_stops_in_the_middle_is_said_in_words(system: System) -> None:
    with pytest.raises(BackupError, match="PostgreSQL: terminating connection"):
        async with databases.moment(system) as held:
            cut_off(system, held)
            await held.let_go()


async def test_contents_that_may_have_been_removed_meanwhile_are_said(system: System) -> None:
    async with databases.moment(system) as held:
        await held.let_go()
        await held.still_holds()
        cut_off(system, held)
        with pytest.raises(BackupError, match="contents may be missing"):
            await held.still_holds()


def cut_off(system: System, held: databases.Moment) -> None:
    """End its connections, as a restart of PostgreSQL does."""
    with psycopg.connect(system.database_admin_url) as connection:
        for one in (held.hold, *held.connections.values()):
            connection.execute("select pg_terminate_backend(%s, 5000)", [one.info.backend_pid])
