"""A form's file on its way to becoming a share, for every dialect that uploads by forms."""

from dataclasses import replace
from types import TracebackType
from uuid import UUID

from common.errors import InvalidInput
from common.expiry import Expiry
from common.http.forms import FilePart, FormStream
from common.store import BodyLength
from upload_service.content import sessions, streams
from upload_service.content.context import Context
from upload_service.content.making_room import check_room
from upload_service.content.model import UploadSession
from upload_service.content.sessions import NewUpload
from upload_service.content.sharing import share_upload
from upload_service.shares import Shared, ShareKind

FORM_ALLOWANCE = 1024 * 1024
"""Bytes that a form may have besides its file; a longer one is refused by its length alone."""
SMALL_FORM = 1024 * 1024
"""The bytes of a form that are not reserved before they are there."""
SECOND_FILE = "Only one file can be uploaded at a time"
"""The message for the sender of a second file, which is never dropped silently."""


class FormUpload:
    """One file of one form. Leaving the `async with` by an error leaves nothing of it, however far it came."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.session: UploadSession | None = None
        """The session that takes the file, once it has begun."""

    async def __aenter__(self) -> "FormUpload":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind and self.session:
            await streams.discard_stream(self._context, self.session.id)

    async def begin(self, new: NewUpload, part: FilePart | None = None) -> UploadSession:
        """Open the session for a form's file `part`, or for another source. Raises what `start_upload` does."""
        if part:
            most = part.most
            is_small = most is not None and most <= SMALL_FORM
            new = replace(new, at_least=part.certain(), at_most=most, is_small=is_small)
        self.session = await sessions.start_upload(self._context, new)
        return self.session

    async def share(
        self, expiry: Expiry, kind: ShareKind = "code", extension: str = "", *, password_hash: str | None = None
    ) -> tuple[UploadSession, Shared]:
        """Make a file of what has been stored, and share it."""
        assert self.session is not None, "it has begun"
        return await finish_and_share(self._context, self.session, expiry, kind, extension, password_hash=password_hash)


async def check_form(context: Context, owner: UUID | None, form: FormStream) -> None:
    """Raise `QuotaExceeded` if the file of a long form cannot find room, before any of it is asked for."""
    size = form.body.certain() - FORM_ALLOWANCE
    if size > 0:
        await check_room(context, owner, size)


async def store_file_part(context: Context, session: UploadSession, part: FilePart, max_size: int) -> int:
    """Store a form's file as the content of `session`; its size. Raises as `put_stream`, and `InvalidInput`."""
    try:
        return await streams.put_stream(context, session, part, max_size)
    except BodyLength:
        raise InvalidInput("the form has too much after its file") from None


async def finish_and_share(
    context: Context,
    session: UploadSession,
    expiry: Expiry,
    kind: ShareKind = "code",
    extension: str = "",
    *,
    password_hash: str | None = None,
) -> tuple[UploadSession, Shared]:
    """Make a file of the stored stream of `session`, and share it; asked again, the result is the same."""
    finished = await streams.finish_stream(context, session)
    return finished, await share_upload(context, finished, expiry, kind, extension, password_hash=password_hash)
