"""Migrations, provisioning, and a pool whose server goes away."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from common.db import RESTED_SECONDS, Database, DatabaseUnavailable
from common.db.migrate import MigrationError, migrate, provision
from tests.conftest import MakeDatabase


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("create table first (id int);")
    return tmp_path


@pytest.fixture
def url(make_database: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty database."""
    return make_database(tmp_path_factory.mktemp("empty"))


def test_each_migration_is_applied_once_and_in_order(url: str, folder: Path) -> None:
    assert migrate(url, folder) == ["0001_first.sql"]
    assert migrate(url, folder) == []
    (folder / "0010_third.sql").write_text("alter table second add column name text;")
    (folder / "0002_second.sql").write_text("create table second (id int);")
    assert migrate(url, folder) == ["0002_second.sql", "0010_third.sql"]


def test_processes_that_start_at_once_apply_it_once(url: str, folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(url, folder), range(4)))
    assert sorted(applied) == [[], [], [], ["0001_first.sql"]]


def test_a_migration_that_fails_leaves_nothing_and_can_be_mended(url: str, folder: Path) -> None:
    broken = folder / "0002_broken.sql"
    broken.write_text("create table second (id int); select * from nowhere;")
    with pytest.raises(psycopg.errors.UndefinedTable):
        migrate(url, folder)
    broken.write_text("create table second (id int);")
    assert migrate(url, folder) == ["0002_broken.sql"]


def test_statements_that_stand_alone_build_indexes_while_others_wait_for_the_lock(url: str, folder: Path) -> None:
    broken = folder / "0002_index.sql"
    index = "-- Each statement alone.\n-- Why.\ndrop index concurrently if exists found;\n\n"
    index += "create index concurrently found\n    on first (id);\n"
    broken.write_text(f"{index}select * from nowhere;\n")
    with pytest.raises(psycopg.errors.UndefinedTable):
        migrate(url, folder)
    broken.write_text(index)
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(url, folder), range(4)))
    assert sorted(applied) == [[], [], [], ["0002_index.sql"]]
    with psycopg.connect(url) as connection:
        assert connection.execute("select indisvalid from pg_index where indrelid = 'first'::regclass").fetchall() == [
            (True,)
        ]


def test_an_applied_migration_must_not_change_or_vanish(url: str, folder: Path) -> None:
    migrate(url, folder)
    path = folder / "0001_first.sql"
    path.write_text("create table other (id int);")
    with pytest.raises(MigrationError, match="changed"):
        migrate(url, folder)
    path.unlink()
    with pytest.raises(MigrationError, match="is not in"):
        migrate(url, folder)


def test_provisioning_makes_a_database_that_others_cannot_enter(postgres_url: str) -> None:
    server = conninfo_to_dict(postgres_url)
    names = [f"provision_{secrets.token_hex(4)}" for _ in range(2)]

    def url_of(role: str, database: str, password: str = "first") -> str:
        return f"postgresql://{role}:{password}@{server['host']}:{server['port']}/{database}"

    try:
        for name in names:
            provision(postgres_url, url_of(name, name))
        # again, with another password
        provision(postgres_url, url_of(names[0], names[0], "second"))
        psycopg.connect(url_of(names[0], names[0], "second")).close()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url_of(names[0], names[0], "first"))
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url_of(names[0], names[1], "second"))
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            for name in names:
                connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
                connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))


async def test_connections_that_the_server_closed_meanwhile_are_not_handed_out(postgres_url: str, url: str) -> None:
    database = Database(url, pool_size=3)
    await database.open()
    await database.ready()
    await asyncio.sleep(RESTED_SECONDS)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            [conninfo_to_dict(url)["dbname"]],
        )
    await database.ready()
    await database.close()


async def test_a_database_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.db.ACQUIRE_SECONDS", 0.2)
    database = Database("postgresql://nobody:none@127.0.0.1:9/none", pool_size=1)
    await database.open()
    with pytest.raises(DatabaseUnavailable):
        await database.ready()
    await database.close()


async def test_a_unit_of_work_is_all_or_nothing(url: str) -> None:
    database = Database(url)
    await database.open()
    async with database.connection() as connection:
        await connection.execute("create table item (id int)")
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute("insert into item values (1)")
            raise ZeroDivisionError
    async with database.connection() as connection:
        assert await (await connection.execute("select * from item")).fetchall() == []
    await database.close()


async def test_a_cancellation_in_the_moment_in_which_a_connection_comes_is_not_lost(postgres_url: str) -> None:
    db = Database(postgres_url, pool_size=1)
    await db.open()

    async def use() -> None:
        async with db.connection():
            await asyncio.sleep(5)

    for steps in range(12):
        async with db.connection():
            waiting = asyncio.create_task(use())
            await asyncio.sleep(0.01)
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        done, _ = await asyncio.wait([waiting], timeout=1)
        assert done, f"not canceled after {steps} steps"
        assert waiting.cancelled()
    async with db.connection() as connection:
        await connection.execute("select 1")
    await db.close()


async def test_one_at_a_time_holds_a_lock_until_its_block_or_its_connection_ends(url: str) -> None:
    first, second = Database(url, pool_size=2), Database(url, pool_size=2)
    await first.open()
    await second.open()
    names = "a sweep", "another sweep"
    async with first.alone(names[0]) as one, second.alone(names[0]) as two, second.alone(names[1]) as another:
        assert (one, two, another) == (True, False, True)
    async with second.alone("a sweep") as is_second:
        assert is_second
    with pytest.raises(DatabaseUnavailable):
        async with first.alone("a sweep"):
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory'")
            async with second.alone("a sweep") as is_second:
                assert is_second
    await first.close()
    await second.close()
