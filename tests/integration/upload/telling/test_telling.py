"""Events for webhooks and notices: each is written with what happened, and told until the share service has it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from common.db import Database
from common.errors import Unavailable
from common.store.folder import FolderStore
from common.store.room import Room
from tests.conftest import ROOT, MakeDatabase
from tests.integration.upload.contexts import new_context
from tests.integration.upload.mirrors.mirrored import Source
from upload_service.content import sessions, streams
from upload_service.content.sessions import NewUpload
from upload_service.context import Context
from upload_service.shares import Shares
from upload_service.telling import telling

RESERVE = 1000


@dataclass
class Hearing:
    """Stands for the share service."""

    told: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    is_down: bool = False
    answers: bool = True

    async def tell(self, events: Sequence[Mapping[str, Any]]) -> None:
        if self.is_down:
            raise Unavailable
        self.told += map(dict, events)
        if not self.answers:
            raise Unavailable


@dataclass
class Bench:
    context: Context
    share: Hearing
    free: int = 3 * RESERVE

    async def upload(self, owner: UUID | None) -> None:
        session = await sessions.start_upload(self.context, NewUpload("a.bin", owner=owner))
        await streams.put_stream(self.context, session, Source(b"content"), max_size=100)
        await streams.finish_stream(self.context, session)

    async def ask(self, statement: str, *values: object) -> None:
        async with self.context.db.connection() as connection:
            await connection.execute(statement.encode(), values)

    async def types(self) -> list[str]:
        await telling.tell(self.context)
        return [event["type"] for event in self.share.told]


@pytest.fixture
async def bench(make_test_database: MakeDatabase, tmp_path: Path) -> AsyncGenerator[Bench]:
    share = Hearing()
    db = Database(make_test_database(ROOT / "services/upload/migrations"), pool_size=5)
    store = FolderStore(tmp_path, synced=False)
    await db.open()
    await store.open()
    await store.prepare()
    bench = Bench(new_context(db, store, shares=cast("Shares", share)), share)
    store.room = Room(tmp_path, RESERVE, free=lambda _: bench.free)
    yield bench
    await store.close()
    await db.close()


async def test_a_file_of_an_account_has_arrived_when_it_is_verified(bench: Bench) -> None:
    owner = uuid4()
    for each in (owner, None, owner):
        await bench.upload(each)
    assert await bench.types() == ["file.arrived"] * 2
    first = bench.share.told[0]
    assert (first["owner"], first["data"]["name"], first["data"]["size"]) == (owner.hex, "a.bin", 7)
    assert len(await bench.types()) == 2


async def test_an_event_is_told_until_the_share_service_has_it(bench: Bench) -> None:
    await bench.upload(uuid4())
    bench.share.is_down = True
    assert await bench.types() == []
    bench.share.is_down, bench.share.answers = False, False
    await bench.types()
    bench.share.answers = True
    assert await bench.types() == ["file.arrived"] * 2
    assert len({event["id"] for event in bench.share.told}) == 1
    assert len(await bench.types()) == 2


async def test_an_event_that_could_not_be_told_for_a_day_is_dropped(bench: Bench) -> None:
    await bench.upload(uuid4())
    bench.share.is_down = True
    await bench.ask("update event set at = at - interval '2 days'")
    await bench.types()
    bench.share.is_down = False
    assert await bench.types() == []


async def test_a_mirror_that_fails_is_told_once_until_it_was_well(bench: Bench) -> None:
    await bench.ask("insert into mirror (name, kind, options, parallel) values ('disk', 'fs', '', 1)")
    for change in ("probe_error = 'mirror_full'", "probe_error = 'mirror_down'", "failures = 2", "failures = 4"):
        await bench.ask(f"update mirror set {change}")
    assert await bench.types() == ["mirror.failed"] * 2
    assert (bench.share.told[0]["data"]["name"], bench.share.told[0]["owner"]) == ("disk", None)
    await bench.ask("update mirror set probe_error = null, failures = 0")
    await bench.ask("update mirror set probe_error = 'mirror_down'")
    assert len(await bench.types()) == 3


async def test_a_disk_that_is_nearly_full_is_told_once_a_day(bench: Bench) -> None:
    assert await bench.types() == []
    bench.free = 2 * RESERVE - 1
    assert await bench.types() == ["disk.low"]
    assert bench.share.told[0]["data"] == {"free": bench.free, "reserve": RESERVE}
    assert len(await bench.types()) == 1
    await bench.ask("update noticed set at = at - interval '25 hours'")
    assert len(await bench.types()) == 2
