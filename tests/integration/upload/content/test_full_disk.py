"""Uploads when the disk of the store is full: refused early, and nothing of them is left."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from common.db import Database
from common.errors import StorageFull
from common.store import ObjectStore, Room
from common.store.limits import MIB
from tests.conftest import ROOT, MakeDatabase
from tests.integration.upload.content.uploads import Bench, Known, blocks
from tests.integration.upload.contexts import new_context
from upload_service.content import sessions, storing, streams
from upload_service.content.sessions import NewUpload

RESERVE = 100 * MIB


class Disk:
    """A disk that has room, until the test says otherwise."""

    def __init__(self) -> None:
        self.free = RESERVE + 1000 * MIB

    def __call__(self, _: Path) -> int:
        return self.free


@pytest.fixture
def disk(store: ObjectStore) -> Disk:
    disk = Disk()
    store.room = Room(Path("/"), RESERVE, disk)
    return disk


@pytest.fixture
async def bench(make_test_database: MakeDatabase, store: ObjectStore) -> AsyncGenerator[Bench]:
    db = Database(make_test_database(ROOT / "services/upload/migrations"), pool_size=6)
    await db.open()
    yield Bench(new_context(db, store))
    await db.close()


async def test_an_upload_for_which_there_is_no_room_is_refused_before_it_begins(bench: Bench, disk: Disk) -> None:
    disk.free = RESERVE + MIB
    await sessions.start_upload(bench.context, NewUpload("a", size=MIB, part_size=MIB))
    with pytest.raises(StorageFull):
        await sessions.start_upload(bench.context, NewUpload("a", size=MIB + 1, part_size=MIB))
    disk.free = RESERVE - 1
    with pytest.raises(StorageFull):
        await sessions.start_upload(bench.context, NewUpload("a"))


async def test_a_stream_whose_room_is_taken_leaves_nothing(bench: Bench, disk: Disk) -> None:
    session = await sessions.start_upload(bench.context, NewUpload("a"))
    source, read = Known(bytes(40 * MIB)), 0

    class Filling:
        def certain(self) -> int:
            return source.certain()

        async def __aiter__(self):  # pyright: ignore
            nonlocal read
            async for block in source:
                read += len(block)
                if read > 10 * MIB:
                    disk.free = RESERVE
                yield block

    with pytest.raises(StorageFull):
        await streams.put_stream(bench.context, session, Filling(), 100 * MIB)
    assert read < 20 * MIB
    await streams.discard_stream(bench.context, session.id)
    assert await bench.objects(session) == []
    async with bench.context.db.connection() as connection:
        found = await connection.execute("select state, cleaned_at is not null from upload_session")
        assert await found.fetchall() == [("aborted", True)]


@pytest.mark.parametrize("part_size", [5 * MIB, MIB])
async def test_a_part_is_refused_and_may_be_sent_again(bench: Bench, disk: Disk, part_size: int) -> None:
    session = await sessions.start_upload(bench.context, NewUpload("a", size=2 * part_size, part_size=part_size))
    await storing.store_part(bench.context, session, 0, blocks(bytes(part_size)))
    disk.free = RESERVE
    with pytest.raises(StorageFull):
        await storing.store_part(bench.context, session, 1, blocks(bytes(part_size)))
    session = await sessions.find_session(bench.context, session.id)
    assert await sessions.stored_indexes(bench.context, session) == [0]
    disk.free = RESERVE + part_size
    await storing.store_part(bench.context, session, 1, blocks(bytes(part_size)))
    assert await sessions.stored_indexes(bench.context, session) == [0, 1]
