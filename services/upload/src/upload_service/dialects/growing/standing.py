"""Uploads that have begun: who may go on with them, and how far they are."""

from collections.abc import Sequence

from common.ids import parse_id
from upload_service.content import appending, sessions
from upload_service.content.concatenating import abort_together
from upload_service.content.model import Layout, SessionState, UploadSession
from upload_service.context import Context
from upload_service.dialects.growing.receiving import interrupt
from upload_service.dialects.senders import Sender

LAYOUTS: Sequence[Layout] = (Layout.APPENDED,)


async def session_of(
    context: Context, upload_id: str, sender: Sender, layouts: Sequence[Layout] = LAYOUTS
) -> UploadSession:
    """The upload, if this sender may continue it. Raises `SessionNotFound`, `SessionExpired`, `GuestsRefused`."""
    session = await sessions.session_to_continue(context, parse_id(upload_id), sender.identity, layouts)
    # Whoever sends the content of an item has a ticket, and needs no account.
    if not session.has_ticket:
        sender.check_may_upload()
    return session


async def offset_of(context: Context, session: UploadSession) -> int:
    """The number of bytes that are stored."""
    if session.state is not SessionState.OPEN:
        return session.size or 0
    return appending.boundaries_of(await appending.parts_of(context, session))[-1]


async def cancel(context: Context, session: UploadSession) -> None:
    """Abort an upload, and all with which it was to become one file. Raises `Conflict` once it is complete."""
    interrupt(session.id)
    await sessions.abort_upload(context, session.id)
    if session.joined_into or session.piece_ids:
        await abort_together(context, session)


def limit_of(sender: Sender, session: UploadSession) -> int:
    """The most bytes that the upload may have."""
    return sender.policy.upload_size if session.size is None else session.size
