"""Content that was lost or damaged in the store behind the system's back."""

import os
from datetime import timedelta

import pytest

from common.store.folder import FolderStore
from common.store.limits import MIB
from tests.integration.upload.content.uploads import Bench, blocks, complete, send_parts
from upload_service.content import completing, files, sessions, storing, verification
from upload_service.content.completing import PartsMissing
from upload_service.content.files import ContentLost
from upload_service.content.model import SessionState

NO_WAIT = timedelta(0)


@pytest.mark.parametrize("left", [None, 0, MIB])
async def test_content_that_is_lost_or_truncated_is_not_handed_out(
    folder_bench: Bench, folder: FolderStore, left: int | None
) -> None:
    session = await complete(folder_bench, await send_parts(folder_bench, os.urandom(2 * MIB), MIB))
    assert session.file_id
    await files.open_download(folder_bench.context, session.file_id, "GET")
    path = folder._layout.object(session.object_key)
    if left is None:
        path.unlink()
    else:
        os.truncate(path, left)
    for _ in range(2):
        with pytest.raises(ContentLost):
            await files.open_download(folder_bench.context, session.file_id, "GET")
    assert not path.exists()


async def test_parts_whose_file_was_truncated_are_asked_for_again(folder_bench: Bench, folder: FolderStore) -> None:
    content = os.urandom(2 * MIB)
    session = await send_parts(folder_bench, content, MIB)
    session = await sessions.find_session(folder_bench.context, session.id)
    assert session.multipart_id
    os.truncate(folder._layout.being_written(session.object_key, session.multipart_id), 5)
    session = await completing.complete_upload(folder_bench.context, session.id)
    await verification.verify_upload(folder_bench.context, session.id)
    with pytest.raises(PartsMissing):
        await completing.wait_verified(folder_bench.context, session, NO_WAIT)
    session = await sessions.find_session(folder_bench.context, session.id)
    for index in range(2):
        await storing.store_part(folder_bench.context, session, index, blocks(content[index * MIB : (index + 1) * MIB]))
    session = await complete(folder_bench, session)
    assert session.state is SessionState.READY
    assert session.file_id
    assert await folder_bench.read(session.file_id) == content
