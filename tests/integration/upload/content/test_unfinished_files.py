"""What killed processes left unfinished in a folder store."""

from datetime import timedelta

import pytest

from common.store.folder import FolderStore
from common.store.limits import MIB
from tests.integration.upload.content.uploads import Bench, blocks, complete
from upload_service.content import cleaning, sessions, storing
from upload_service.content.model import SessionState
from upload_service.content.sessions import NewUpload

NO_WAIT = timedelta(0)


async def test_the_sweep_removes_what_killed_processes_left_and_nothing_that_lives(
    folder_bench: Bench, folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "UNTOUCHED", timedelta(seconds=-1))
    living = await sessions.start_upload(folder_bench.context, NewUpload("a", size=2 * MIB, part_size=MIB))
    await storing.store_part(folder_bench.context, living, 0, blocks(bytes(MIB)))
    ended = await sessions.start_upload(folder_bench.context, NewUpload("b", size=2 * MIB, part_size=MIB))
    await sessions.abort_upload(folder_bench.context, ended.id)
    left = [living.object_key, ended.object_key, ended.staged_key(3), "blobs/none", f"blobs/{'0' * 32}", "health"]
    for key in left:
        await folder.create_multipart(key)
    busy = await sessions.start_upload(folder_bench.context, NewUpload("c"))
    async with folder_bench.context.db.connection() as connection:
        await connection.execute(
            "insert into part (session_id, index, writer, lease_until) values (%s, 0, %s, now() + interval '1 hour')",
            (busy.id, busy.id),
        )
    needed = await folder.create_multipart(busy.object_key)
    await cleaning.abort_stale_sessions(folder_bench.context)
    living = await sessions.find_session(folder_bench.context, living.id)
    kept = {(upload.key, upload.upload_id) for upload in await folder.unfinished(timedelta(seconds=-1))}
    assert kept == {(living.object_key, living.multipart_id), (busy.object_key, needed)}
    await storing.store_part(folder_bench.context, living, 1, blocks(bytes(MIB)))
    assert (await complete(folder_bench, living)).state is SessionState.READY
