"""Wishes for mirrors in any order and at the same time: no unwanted replica is left, and none is missing."""

import asyncio
import random
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from common.db import Connection
from common.errors import DomainError, NotFound
from common.store import ObjectStore
from common.store.s3 import S3Store
from tests.conftest import Engines
from tests.examples import examples
from tests.integration.upload.mirrors.mirrored import Mirrored, mirrored
from upload_service.accounts.erasing import erase_account
from upload_service.content import cleaning, expiring, files
from upload_service.content.model import File
from upload_service.mirrors import administration, replicating, upkeep, wishes
from upload_service.mirrors.administration import MirrorSpec
from upload_service.mirrors.model import Mirror
from upload_service.mirrors.queries import claimed, health

T = TypeVar("T")
CONTENTS = [b"", b"one", b"two" * 50_000]
ROUNDS = 20


@pytest.fixture
async def system(database: str, store: ObjectStore, tmp_path: Path) -> AsyncGenerator[Mirrored]:
    async with mirrored(database, store, tmp_path) as system:
        yield system


async def folder_mirror(system: Mirrored, root: Path, **more: Any) -> Mirror:
    """A mirror that is a new folder under `root`."""
    name = uuid4().hex
    (root / name).mkdir()
    return await administration.define_mirror(
        system.context, MirrorSpec(name, "fs", {"root": str(root / name)}, **more)
    )


def stored(root: Path, mirror: Mirror) -> dict[str, bytes]:
    folder = root / mirror.name
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def come_to_rest(system: Mirrored) -> None:
    """End every claim and every wait, and do everything that the sweeps find."""
    await system.ask("update replica set lease_until = null")
    for _ in range(ROUNDS):
        await system.ask("update replica set due_at = now() where state not in ('verified', 'removed')")
        await upkeep.sweep_replicas(system.context)
        if not system.queue.replicas:
            return
        await system.work()
    raise AssertionError(await system.ask("select * from replica"))


async def check_rest(system: Mirrored, root: Path, found: list[Mirror]) -> None:
    """Assert that each mirror has exactly the content that is wanted there, as the rows say."""
    await come_to_rest(system)
    wanted = set(
        await system.ask(
            "select distinct blob_id, mirror_id from file_mirror join file on file.id = file_id where state = 'ready'"
        )
    )
    rows = await system.ask("select blob_id, mirror_id, state, id from replica where state <> 'removed'")
    assert {(blob_id, mirror_id) for blob_id, mirror_id, _, _ in rows} == wanted
    assert {state for _, _, state, _ in rows} <= {"verified"}
    for mirror in found:
        ids = {replica_id.hex for _, mirror_id, _, replica_id in rows if mirror_id == mirror.id}
        there = stored(root, mirror)
        assert {path.rpartition("/")[2] for path in there} == ids
        assert set(there.values()) <= set(CONTENTS)


class Wishes(RuleBasedStateMachine):
    """Files come and go and are wanted on different mirrors, while workers work, die, and sleep."""

    open_system: ClassVar[type[Any]]
    root: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.opened = self.open_system()
        self.system: Mirrored = self.run(self.opened.__aenter__())
        self.mirrors = [self.run(folder_mirror(self.system, self.root)) for _ in range(2)]
        self.gone: list[Mirror] = []
        self.files: list[File] = []

    def run(self, step: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(step)

    def teardown(self) -> None:
        try:
            self.run(check_rest(self.system, self.root, [*self.mirrors, *self.gone]))
        finally:
            self.run(self.opened.__aexit__(None, None, None))
            self.runner.close()

    @rule(content=st.sampled_from(CONTENTS), wanted=st.sets(st.integers(0, 1)))
    def upload(self, content: bytes, wanted: set[int]) -> None:
        self.files.append(self.run(self.system.upload(content, *(self.mirrors[number] for number in wanted))))

    @rule(data=st.data(), number=st.integers(0, 1))
    def want(self, data: st.DataObject, number: int) -> None:
        if self.files:
            file = data.draw(st.sampled_from(self.files))
            self.run(wishes.want_mirrors(self.system.context, file, [self.mirrors[number].id]))

    @rule(data=st.data(), number=st.integers(0, 1))
    def unwant(self, data: st.DataObject, number: int) -> None:
        if self.files:
            file = data.draw(st.sampled_from(self.files))
            with suppress(NotFound):
                self.run(wishes.unwant_mirror(self.system.context, file, self.mirrors[number].id))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if self.files:
            file = self.files.pop(self.files.index(data.draw(st.sampled_from(self.files))))
            self.run(files.release_file(self.system.context, file.id))

    @rule(count=st.integers(1, 4), dies=st.booleans())
    def work(self, count: int, dies: bool) -> None:
        asked = self.system.queue.replicas[:count]
        del self.system.queue.replicas[:count]
        self.run(self._work(asked, dies))

    async def _work(self, asked: list[Any], dies: bool) -> None:
        working = [asyncio.create_task(self.system.advance(replica_id)) for replica_id in asked]
        if dies:
            await asyncio.sleep(0.005)
            for task in working:
                task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    @rule()
    def messages_are_lost(self) -> None:
        self.system.queue.replicas.clear()

    @rule()
    def sweep(self) -> None:
        self.run(upkeep.sweep_replicas(self.system.context))
        self.run(cleaning.collect_garbage(self.system.context, timedelta(0)))

    @rule(number=st.integers(0, 1))
    def remove_mirror(self, number: int) -> None:
        removed, self.mirrors[number] = self.mirrors[number], self.run(folder_mirror(self.system, self.root))
        self.gone.append(removed)
        self.run(administration.remove_mirror(self.system.context, removed.id, forget=False))


def test_mirrors_come_to_have_exactly_what_is_wanted_in_any_order(
    database: str, engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicating, "PROGRESS_EVERY", timedelta(milliseconds=20))
    address = engines.store

    class System:
        """A store that is opened within the machine's own event loop."""

        async def __aenter__(self) -> Mirrored:
            self.store = S3Store(
                address.endpoint,
                region="us-east-1",
                bucket="wishes",
                access_key=address.access_key,
                secret_key=address.secret_key,
            )
            await self.store.open()
            await self.store.prepare()
            self.opened = mirrored(database, self.store, tmp_path)
            return await self.opened.__aenter__()

        async def __aexit__(self, *_: object) -> None:
            await self.opened.__aexit__(None, None, None)
            await self.store.close()

    Wishes.open_system, Wishes.root = System, tmp_path
    run_state_machine_as_test(
        Wishes,
        settings=settings(
            max_examples=examples(8),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.filter_too_much,
                HealthCheck.data_too_large,
                HealthCheck.large_base_example,
            ],
        ),
    )


async def test_wishes_uploads_releases_and_workers_at_the_same_time(
    system: Mirrored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replicating, "PROGRESS_EVERY", timedelta(milliseconds=20))
    found = [await folder_mirror(system, tmp_path, parallel=4) for _ in range(3)]
    there = [await system.upload(content, *found) for content in CONTENTS]
    unexpected: list[BaseException] = []

    async def somebody(chance: random.Random) -> None:
        for _ in range(12):
            file, mirror = chance.choice(there), chance.choice(found)
            try:
                match chance.randrange(6):
                    case 0:
                        there.append(await system.upload(chance.choice(CONTENTS), mirror))
                    case 1 if len(there) > 2:
                        there.remove(file)
                        await files.release_file(system.context, file.id)
                    case 2:
                        await wishes.unwant_mirror(system.context, file, mirror.id)
                    case _:
                        await wishes.want_mirrors(system.context, file, [mirror.id])
            except (NotFound, ValueError):
                continue
            except DomainError as error:
                unexpected.append(error)

    async def worker() -> None:
        while True:
            if system.queue.replicas:
                await system.advance(system.queue.replicas.pop(0))
            else:
                await upkeep.sweep_replicas(system.context)
                await asyncio.sleep(0.01)

    workers = [asyncio.create_task(worker()) for _ in range(3)]
    await asyncio.gather(*(somebody(random.Random(seed)) for seed in range(6)))
    for task in workers:
        task.cancel()
    ended = await asyncio.gather(*workers, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
    assert unexpected == []
    await check_rest(system, tmp_path, found)


async def test_a_mirror_that_is_removed_while_files_come_takes_none_of_them(system: Mirrored, tmp_path: Path) -> None:
    for forget in (False, True):
        stays = await folder_mirror(system, tmp_path)
        goes = await folder_mirror(system, tmp_path)
        first = [await system.upload(bytes([number]), stays) for number in range(4)]

        async def come(number: int, stays: Mirror = stays, goes: Mirror = goes) -> None:
            await system.upload(bytes([number]), stays, goes)

        async def want(file: File, goes: Mirror = goes) -> None:
            with suppress(wishes.MirrorNotFound):
                await wishes.want_mirrors(system.context, file, [goes.id])

        await asyncio.gather(
            *(come(number) for number in range(4, 8)),
            administration.remove_mirror(system.context, goes.id, forget=forget),
            *(want(file) for file in first),
            upkeep.sweep_replicas(system.context),
        )
        await come_to_rest(system)
        await upkeep.sweep_replicas(system.context)
        assert await system.ask("select id from mirror where id = %s", goes.id) == []
        assert await system.ask("select state, count(*) from replica where mirror_id = %s group by 1", stays.id) == [
            ("verified", 8)
        ]
        if not forget:
            assert stored(tmp_path, goes) == {}


async def test_an_account_that_is_erased_leaves_nothing_on_its_mirrors(system: Mirrored, tmp_path: Path) -> None:
    class NoShares:
        async def end(self, *_: object) -> None:
            return

    mirror = await folder_mirror(system, tmp_path, accounts=[system.owner])
    await system.upload(b"one", mirror)
    await system.work()
    assert list(stored(tmp_path, mirror).values()) == [b"one"]
    await erase_account(system.context, system.owner)
    context = replace(system.context, shares=NoShares())  # pyright: ignore[reportArgumentType]
    await expiring.clear_ended(context)
    await system.work()
    assert stored(tmp_path, mirror) == {}
    assert (await system.mirror_now(mirror)).accounts == []


async def test_what_is_due_of_many_replicas_is_found_without_reading_them(system: Mirrored, tmp_path: Path) -> None:
    mirror = await folder_mirror(system, tmp_path, parallel=4)
    await system.ask(
        """
        with made as (
            insert into blob (id, object_key, size, sha256)
            select gen_random_uuid(), number::text, number, sha256(number::text::bytea)
            from generate_series(1, 30000) as number
            returning id, size)
        insert into replica (id, blob_id, mirror_id, state, due_at)
        select gen_random_uuid(), id, %s, case when size %% 3 = 0 then 'queued' else 'verified' end,
            now() + case when size %% 2 = 0 then interval '-1 day' else interval '1 day' end
        from made
        """,
        mirror.id,
    )
    await system.ask("vacuum analyze replica")
    async with system.context.db.connection() as connection:
        before = await rows_read(connection)
        assert len(await claimed.due_replicas(connection)) == 4
        assert await health.has_room(connection, mirror.id)
        after = await rows_read(connection)
    assert after - before < 100


async def rows_read(connection: Connection) -> int:
    """The number of rows of replicas, and of entries of their indexes, that have been read so far."""
    await connection.execute("select pg_stat_force_next_flush()")
    cursor = await connection.execute(
        """
        select seq_tup_read + (select sum(idx_tup_read) from pg_stat_user_indexes where relname = 'replica')
        from pg_stat_user_tables where relname = 'replica'
        """
    )
    return int((await cursor.fetchall())[0][0])
