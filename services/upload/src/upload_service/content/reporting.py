"""Telling the share service what became of an upload that brings the content of an item of a share.

What is told may be lost: the share service asks as well (`items.states`).
"""

from common import logging
from common.errors import Unavailable
from upload_service.content.context import Context
from upload_service.content.files import release_file
from upload_service.content.model import UNVERIFIED, File, SessionState, UploadSession
from upload_service.content.queries import files
from upload_service.shares import ItemProgress

_log = logging.get(__name__)


def progress_of(session: UploadSession, file: File | None, received: int) -> ItemProgress:
    """The outcome of a session. `file`: the one it became, if it still exists; `received`: bytes, while it is open."""
    if session.state is SessionState.OPEN and not session.is_overdue:
        return ItemProgress("open", received)
    if session.state is SessionState.ABORTED:
        return ItemProgress("aborted")
    if session.state in UNVERIFIED and file:
        return ItemProgress("verifying", file.size, file.id)
    if session.state is SessionState.READY and file and file.sha256:
        return ItemProgress("ready", file.size, file.id, file.sha256)
    return ItemProgress("failed")


async def report(context: Context, session: UploadSession) -> bool:
    """Say what became of a session that has all its bytes; whether its item still wants the content.

    If not, and nothing else serves its file, the file is released. Raises `Unavailable`.
    """
    item_id = session.item_id
    assert item_id is not None, "only the upload of an item is reported"
    file = None
    if session.file_id:
        async with context.db.connection() as connection:
            file = await files.get_file(connection, session.file_id)
    if await context.shares.report_item(item_id, session.id, progress_of(session, file, 0)):
        return True
    if session.file_id:
        await release_file(context, session.file_id)
    return False


async def report_soon(context: Context, session: UploadSession) -> None:
    """`report` if the session brings the content of an item, and the share service answers."""
    if session.item_id is None:
        return
    try:
        await report(context, session)
    except Unavailable as error:
        _log.warning("the share service will ask for itself", session=session.id.hex, error=error.message)
