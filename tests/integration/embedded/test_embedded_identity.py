"""PostgreSQL for a user who is root, in folders that nobody else may enter: each way to be somebody else, for real."""

import asyncio
import os
from collections.abc import Generator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import psycopg
import pytest

from deploy.local import identity, ports, postgres
from deploy.local.child import Child
from deploy.local.identity import Identity, NoIdentity
from deploy.local.log import Log

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")

WAYS = ["nobody, may read", "a user namespace", "nobody, may write"]


ALL = identity.candidates()


def only(name: str) -> list[Identity]:
    return [way for way in ALL if way.name == name]


@pytest.fixture
def private(tmp_path: Path) -> Generator[Path]:
    """A folder of root that is closed to others, and stays so."""
    tmp_path.chmod(0o700)
    before = tmp_path.stat()
    yield tmp_path
    after = tmp_path.stat()
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)


async def serves(data: Path) -> str:
    """Start PostgreSQL on `data`, ask it, stop it; returns as whom it ran."""
    port = ports.choose(1)[0]
    program = await postgres.prepare(data, "password")
    command = [*program.command, *postgres.arguments(port)]
    log = Log(StringIO())
    child = Child(replace(program, command=command, ready=postgres.ready(port)), data, log, lambda: None)
    child.start()
    try:
        await asyncio.wait_for(child.wait_ready(), 30)
        async with await psycopg.AsyncConnection.connect(postgres.admin_url(port, "password")) as connection:
            await connection.execute("create table if not exists kept (value int)")
            await connection.execute("insert into kept values (1)")
        return program.identity.name
    finally:
        await child.stop()


@pytest.mark.parametrize("way", WAYS)
async def test_each_way_works_below_a_private_folder(private: Path, monkeypatch: pytest.MonkeyPatch, way: str):
    monkeypatch.setattr(identity, "candidates", lambda: only(way))
    assert await serves(private) == way


async def test_a_cluster_follows_the_way_that_works_this_time(private: Path, monkeypatch: pytest.MonkeyPatch):
    for way in WAYS:
        monkeypatch.setattr(identity, "candidates", lambda way=way: only(way))
        assert await serves(private) == way


async def test_the_first_way_that_works_is_taken(private: Path, monkeypatch: pytest.MonkeyPatch):
    ways = [*only("nobody"), *only("a user namespace")]
    monkeypatch.setattr(identity, "candidates", lambda: ways)
    assert await serves(private) == "a user namespace"


async def test_no_way_at_all_is_said_clearly(private: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(identity, "candidates", lambda: only("nobody"))
    with pytest.raises(NoIdentity, match="Run this as an ordinary user, or set DATABASE_URL_ADMIN"):
        await postgres.prepare(private, "password")
