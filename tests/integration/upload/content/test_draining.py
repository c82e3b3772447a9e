"""Sweeps of content: each works until nothing is left, also when thousands of rows wait."""

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from typing import cast
from uuid import UUID

import pytest

from common.db import Database
from common.db.rows import fetch_values
from common.store import ObjectStore, Unfinished
from tests.conftest import ROOT, MakeDatabase
from tests.integration.upload.contexts import new_context
from upload_service.backlog import waiting
from upload_service.content import cleaning, expiring, files, verification
from upload_service.context import Context
from upload_service.fetches import jobs
from upload_service.mirrors import administration, removing, renewing, upkeep, work
from upload_service.mirrors.queries import replicas, wanted
from upload_service.shares import Shares

MANY = 3_000
NONE = timedelta(0)


class CountingStore:
    """Stands for the object store, of which only the requests to remove something are wanted."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    async def delete(self, key: str) -> None:
        self.deleted.append(key)

    async def delete_many(self, keys: Sequence[str]) -> None:
        self.deleted += keys

    async def abort_multipart(self, key: str, _: str) -> None:
        self.deleted.append(key)

    async def unfinished(self, _: timedelta) -> list[Unfinished]:
        return []


class CountingShares:
    """Stands for the share service: every second file is held."""

    def __init__(self) -> None:
        self.ended: list[UUID] = []

    async def end(self, file_ids: Sequence[UUID], ended_for: str | None = None) -> None:
        assert len(file_ids) <= MANY
        self.ended += file_ids

    async def held(self, file_ids: Sequence[UUID]) -> list[UUID]:
        return list(file_ids[::2])


@pytest.fixture
async def context(make_test_database: MakeDatabase) -> AsyncGenerator[Context]:
    db = Database(make_test_database(ROOT / "services/upload/migrations"), pool_size=10)
    await db.open()
    yield new_context(db, cast("ObjectStore", CountingStore()), shares=cast("Shares", CountingShares()))
    await db.close()


async def ask(context: Context, statement: str) -> int:
    """Run a statement; the number that it returns, if it returns one."""
    async with context.db.connection() as connection:
        cursor = await connection.execute(statement.encode())
        row = await cursor.fetchone() if cursor.description else None
        return row[0] if row else cursor.rowcount


BLOBS = f"""
    insert into blob (id, object_key, size, sha256, refs, unreferenced_at)
    select gen_random_uuid(), 'blobs/' || number, 1, sha256(number::text::bytea), 0, now() - interval '1 day'
    from generate_series(1, {MANY}) as number
"""
FILES = """
    insert into file (id, blob_id, name, size, state, created_at, expires_at)
    select gen_random_uuid(), blob.id, 'x', 1, 'ready', now() - interval '2 days', now() - interval '1 minute'
    from blob
"""
SESSIONS = f"""
    insert into upload_session (id, layout, file_name, object_key, expires_at, state, changed_at, cleaned_at)
    select gen_random_uuid(), 'stream', 'x', 'blobs/' || number, now() - interval '8 days', %s,
        now() - interval '8 days', %s
    from generate_series(1, {MANY}) as number
"""


async def test_files_whose_time_is_over(context: Context) -> None:
    await ask(context, BLOBS)
    await ask(context, FILES)
    await ask(context, "update blob set refs = 1")
    assert (await waiting(context))["files to end"] == MANY
    await expiring.clear_ended(context)
    assert (await waiting(context))["files to end"] == 0
    assert await ask(context, "select count(*) from file") == 0
    assert await ask(context, "select sum(refs) from blob") == 0
    assert len(set(cast("CountingShares", context.shares).ended)) == MANY


async def test_files_without_a_share(context: Context) -> None:
    await ask(context, BLOBS)
    await ask(context, FILES)
    await ask(context, "update blob set refs = 1")
    assert (await waiting(context))["files without a share"] == MANY
    await cleaning.release_unclaimed(context, timedelta(days=1))
    assert (await waiting(context))["files without a share"] == 0
    assert await ask(context, "select count(*) from file where claimed_at is not null") == MANY // 2
    assert await ask(context, "select count(*) from file") == MANY // 2
    assert await ask(context, "select sum(refs) from blob") == MANY // 2


async def test_files_of_one_content_give_back_one_reference_each(context: Context) -> None:
    await ask(context, BLOBS)
    await ask(context, "delete from blob where object_key <> 'blobs/1'")
    for _ in range(3):
        await ask(context, FILES)
    await ask(context, "update blob set refs = 3")
    async with context.db.connection() as connection:
        ids = [row[0] for row in await (await connection.execute("select id from file")).fetchall()]
    await files.release_files(context, [*ids[:2], ids[0]])
    assert await ask(context, "select refs from blob") == 1


async def test_contents_that_nothing_refers_to(context: Context) -> None:
    await ask(context, BLOBS)
    assert (await waiting(context))["contents to remove"] == MANY
    await cleaning.collect_garbage(context, NONE)
    assert (await waiting(context))["contents to remove"] == 0
    assert await ask(context, "select count(*) from blob") == 0
    assert len(set(cast("CountingStore", context.store).deleted)) == MANY


async def test_uploads_that_were_left_alone(context: Context) -> None:
    async with context.db.connection() as connection:
        await connection.execute(SESSIONS.encode(), ("open", None))
    assert (await waiting(context))["uploads to expire"] == MANY
    await cleaning.abort_stale_sessions(context)
    assert await ask(context, "select count(*) from upload_session where cleaned_at is not null") == MANY
    assert len(set(cast("CountingStore", context.store).deleted)) == MANY
    counts = await waiting(context)
    assert (counts["uploads to expire"], counts["uploads to clean up after"]) == (0, 0)


async def test_uploads_and_keys_that_nobody_asks_for(context: Context) -> None:
    async with context.db.connection() as connection:
        await connection.execute(SESSIONS.encode(), ("aborted", "2020-01-01"))
    await ask(
        context,
        f"""
        insert into upload_key (id, digest, account, credential, expires_at)
        select gen_random_uuid(), sha256(number::text::bytea), gen_random_uuid(), gen_random_uuid(),
            now() - interval '2 days'
        from generate_series(1, {MANY}) as number
        """,
    )
    counts = await waiting(context)
    assert (counts["uploads to forget"], counts["upload keys to forget"]) == (MANY, MANY)
    await cleaning.abort_stale_sessions(context)
    assert await ask(context, "select count(*) from upload_session") == 0
    assert await ask(context, "select count(*) from upload_key") == 0


async def test_uploads_whose_verification_was_lost(context: Context) -> None:
    async with context.db.connection() as connection:
        await connection.execute(SESSIONS.encode(), ("assembling", None))
    assert (await waiting(context))["uploads to verify"] == MANY
    await verification.request_unverified(context)
    requested = context.queue.verifications  # pyright: ignore  (the queue is the test's own)
    assert len(requested) == len(set(requested)) == MANY


async def test_fetches_that_are_settled(context: Context) -> None:
    async with context.db.connection() as connection:
        await connection.execute(SESSIONS.encode(), ("open", None))
    await ask(
        context,
        """
        insert into fetch_job (id, owner, url, terms, max_size, ends_at, state, session_id, changed_at)
        select gen_random_uuid(), gen_random_uuid(), 'http://example.org', '{}', 1, now(), 'failed', id,
            now() - interval '31 days'
        from upload_session
        """,
    )
    assert (await waiting(context))["fetches to clear away"] == MANY
    await jobs.sweep_fetches(context)
    assert await ask(context, "select count(*) from upload_session where state = 'aborted'") == MANY
    assert len(set(cast("CountingStore", context.store).deleted)) == MANY
    assert await ask(context, "select count(*) from fetch_job") == 0


async def test_replicas_that_were_removed(context: Context) -> None:
    await ask(
        context,
        """
        insert into mirror (name, kind, options, is_enabled, parallel, removed_at)
        values ('m', 'folder', '', true, 1, now())
        """,
    )
    await ask(
        context,
        f"""
        insert into replica (id, mirror_id, state, due_at)
        select gen_random_uuid(), mirror.id, 'removed', null from mirror, generate_series(1, {MANY})
        """,
    )
    assert (await waiting(context))["replicas to forget"] == MANY
    await upkeep.sweep_replicas(context)
    assert await ask(context, "select count(*) from replica") == 0
    assert await ask(context, "select count(*) from mirror") == 0


async def test_replicas_of_a_mirror_that_moves_or_is_well_again(context: Context) -> None:
    """No transaction changes more than a batch of them, and what has happened to one since then stands."""
    await ask(
        context,
        """
        insert into mirror (name, kind, options, is_enabled, parallel)
        values ('m', 'folder', '', false, 1), ('another', 'folder', '', false, 1)
        """,
    )
    await ask(
        context,
        f"""
        insert into replica (id, mirror_id, state, error, due_at, attempts, worker, lease_until, changed_at)
        select gen_random_uuid(), mirror.id, state, case state when 'failed' then 'mirror_down' end,
            now() + interval '1 day', 5, null, null, now() - interval '1 day'
        from mirror, generate_series(1, {MANY // 2}), unnest(array['verified', 'failed']) state
        """,
    )
    async with context.db.transaction() as connection:
        (mirror_id,) = await fetch_values(connection, "select id from mirror where name = 'm' for update", {})
        await renewing.try_failed_again(connection, mirror_id)
        await renewing.check_all_on(connection, mirror_id)
    due = "select count(*) from replica where due_at <= now()"
    assert await ask(context, due) == 2 * renewing.BATCH
    left = await waiting(context)
    assert (
        left["replicas to check at a mirror that moved"]
        == left["replicas to try again"]
        == (MANY // 2 - renewing.BATCH)
    )
    # One was checked, or failed, at the new place meanwhile.
    await ask(
        context,
        f"""
        update replica set changed_at = now(), attempts = 1 where id = any(array(
            select min(id::text)::uuid from replica where mirror_id = {mirror_id} and due_at > now() group by state))
        """,
    )
    await upkeep.sweep_replicas(context)
    assert await ask(context, due) == MANY - 2
    assert await ask(context, f"{due} and attempts = 0") == MANY // 2 - 1
    assert await ask(context, "select count(*) from mirror where doubted_at is null and retried_at is null") == 2


@pytest.mark.parametrize("forget", [False, True])
async def test_a_mirror_is_removed_some_at_a_time_and_whatever_dies_in_between(context: Context, forget: bool) -> None:
    """Nothing is served or shown from it meanwhile, and a slice that dies is done again."""
    await ask(
        context,
        f"""
        with of_mirror as (
            insert into mirror (name, kind, options, is_enabled, parallel) values ('m', 'folder', '', true, 1)
            returning id),
        of_blob as (
            insert into blob (id, object_key, size, sha256, state, refs)
            select gen_random_uuid(), 'blobs/' || n, 1, sha256(n::text::bytea), 'ready', 1
            from generate_series(1, {MANY // 2}) n returning id),
        of_file as (
            insert into file (id, blob_id, name, size, state, owner, created_at)
            select id, id, 'a', 1, 'ready', id, now() from of_blob returning id, blob_id),
        wish as (insert into file_mirror select of_file.id, of_mirror.id from of_file, of_mirror)
        insert into replica (id, blob_id, mirror_id, state, due_at)
        select blob_id, blob_id, of_mirror.id, 'verified', now() from of_file, of_mirror
        """,
    )
    mirror_id = await ask(context, "select id from mirror")
    await administration.remove_mirror(context, mirror_id, forget=forget)
    lasting = "select count(*) from replica where state = 'verified'"
    assert await ask(context, lasting) == MANY // 2 - removing.BATCH
    assert (await waiting(context))["wishes and replicas of removed mirrors"] == 2 * (MANY // 2 - removing.BATCH)
    async with context.db.connection() as connection:
        left = await fetch_values(connection, "select id from replica where state = 'verified'", {})
        assert not await replicas.any_readable(connection)
        assert await wanted.wishes_of_file(connection, left[0]) == []
        assert not await replicas.try_again(connection, left[0], mirror_id)
    # Nobody checks or copies anything there any more.
    assert await work.claim(context, left[0]) is None
    # PostgreSQL ends the connection in the middle of a slice, as if the process had been killed.
    act = "delete" if forget else "update"
    await ask(
        context,
        f"""
        create function die() returns trigger language plpgsql as
            $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
        create trigger dies after {act} on replica for each row when (old.id = '{left[-1]}') execute function die()
        """,
    )
    await upkeep.sweep_replicas(context)
    assert 0 < await ask(context, lasting) <= len(left)
    assert await ask(context, lasting) % removing.BATCH == 0
    assert await ask(context, "select count(*) from mirror") == 1
    await ask(context, "drop function die cascade")
    await upkeep.sweep_replicas(context)
    assert await ask(context, "select count(*) from file_mirror") == 0
    assert await ask(context, "select count(*) from replica where state = 'removing'") == (0 if forget else MANY // 2)
    assert await ask(context, "select count(*) from mirror") == (0 if forget else 1)
