"""A form's file on its way to becoming a share, for every dialect that uploads by forms."""

import time
from collections.abc import Awaitable
from dataclasses import replace
from types import TracebackType
from uuid import UUID

from common.errors import InvalidInput
from common.expiry import Expiry
from common.http.forms import FilePart, FormStream
from common.ids import new_id
from common.store import BodyLength, Source
from upload_service.content import sessions, streams
from upload_service.content.context import Context
from upload_service.content.making_room import check_room
from upload_service.content.model import UploadSession
from upload_service.content.reservation import Reservation
from upload_service.content.sessions import NewUpload
from upload_service.content.sharing import share_upload
from upload_service.content.streams import HeldStream
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
        self._reservation: Reservation | None = None
        self._held: HeldStream | None = None

    async def __aenter__(self) -> "FormUpload":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind and self.session and self._reservation:
            await self._reservation.give_up()
            await streams.discard_stream(self._context, self.session.id)

    async def begin(self, new: NewUpload, part: FilePart | None = None) -> UploadSession:
        """Open the session for a form's file `part`, or for another source. Raises what `start_upload` does."""
        if part:
            most = part.most
            is_small = most is not None and most <= SMALL_FORM
            new = replace(new, at_least=part.certain(), at_most=most, is_small=is_small)
        writer, since = new_id(), time.monotonic()
        self.session = await sessions.start_upload(self._context, replace(new, writer=writer))
        self._reservation = Reservation(self._context, self.session, 0, writer=writer, since=since)
        return self.session

    async def store(self, source: Source, max_size: int) -> int:
        """Store the content; its size. Raises as `streams.put_stream`."""
        assert self.session is not None, "it has begun"
        assert self._reservation is not None, "it has begun"
        self._held = await streams.hold_stream(self._context, self.session, self._reservation, source, max_size)
        return self._held.size

    async def store_part(self, part: FilePart, max_size: int) -> int:
        """Store a form's file; its size. Raises as `store`, and `InvalidInput`."""
        return await _in_form(self.store(part, max_size))

    async def share(
        self, expiry: Expiry, kind: ShareKind = "code", extension: str = "", *, password_hash: str | None = None
    ) -> tuple[UploadSession, Shared]:
        """Make a file of what has been stored, and share it."""
        assert self.session is not None, "it has begun"
        assert self._held is not None, "it has been stored"
        finished = await streams.finish_held(self._context, self.session, self._held)
        return finished, await share_upload(
            self._context, finished, expiry, kind, extension, password_hash=password_hash
        )


async def check_form(context: Context, owner: UUID | None, form: FormStream) -> None:
    """Raise `QuotaExceeded` if the file of a long form cannot find room, before any of it is asked for."""
    size = form.body.certain() - FORM_ALLOWANCE
    if size > 0:
        await check_room(context, owner, size)


async def store_file_part(context: Context, session: UploadSession, part: FilePart, max_size: int) -> int:
    """Store a form's file as the content of `session`; its size. Raises as `put_stream`, and `InvalidInput`."""
    return await _in_form(streams.put_stream(context, session, part, max_size))


async def _in_form(storing: Awaitable[int]) -> int:
    try:
        return await storing
    except BodyLength:
        raise InvalidInput("the form has too much after its file") from None


async def finish_and_share(context: Context, session: UploadSession, expiry: Expiry) -> tuple[UploadSession, Shared]:
    """Make a file of the stored stream of `session`, and share it; asked again, the result is the same."""
    finished = await streams.finish_stream(context, session)
    return finished, await share_upload(context, finished, expiry)
