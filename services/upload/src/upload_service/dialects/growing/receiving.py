"""The bytes of one request, which are kept as far as they came.

A part is written from what arrives. When the client breaks off, the part ends there, and the client goes on from that
offset. A body with a checksum is kept whole or not at all, because what came of it cannot be checked.
"""

from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from datetime import timedelta
from hmac import compare_digest
from uuid import UUID

from fastapi import Request

from common.errors import Conflict, DomainError, InvalidInput, TooSlow
from common.http.bodies import RawBody
from common.store import PartBusy
from common.waiting import wait_until
from upload_service.content import sessions
from upload_service.content.appending import Appending
from upload_service.content.making_room import reserve_up_to
from upload_service.content.model import UploadSession
from upload_service.content.queries import sessions as queries
from upload_service.context import Context
from upload_service.dialects.growing.checksums import Checksum
from upload_service.items.received import Noting

# A client whose last request is still being read here, because nobody told us that it has gone, comes again.
PATIENCE = timedelta(seconds=3)


class ChecksumMismatch(InvalidInput):
    """The body has not the digest that its sender says."""

    code = "checksum_mismatch"


class OffsetWrong(Conflict):
    """The upload has another offset."""

    code = "offset_wrong"

    def __init__(self, expected: int, provided: int) -> None:
        super().__init__(f"the upload has {expected} bytes")
        self.expected, self.provided = expected, provided


class Arriving:
    """The body of a request, up to where it breaks off: a `Source` for the writer of the part."""

    def __init__(self, body: RawBody, checksum: Checksum | None, at: int, noting: Noting | None) -> None:
        """The body is appended at offset `at`; `noting`: those who watch learn how far it has come."""
        self._body, self._at, self._noting = body, at, noting
        self._checksum = checksum
        self._hash = checksum.begin() if checksum else None
        self.broke: DomainError | None = None
        """The error with which the body broke off; `PartBusy` if a later request ended it."""

    def certain(self) -> int:
        # No byte is certain until it is there: S3 keeps nothing of a part that is shorter than was announced.
        return 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for block in self._body:
                if self._hash:
                    self._hash.update(block)
                yield block
                if self._noting:
                    await self._noting.note(self._at + self._body.received)
        except (InvalidInput, TooSlow) as error:
            self.broke = PartBusy() if self._body.is_ended else error

    def check(self) -> None:
        """Raise the error with which the body broke off if nothing of it may be kept, or `ChecksumMismatch`."""
        if self.broke and (self._checksum or not self._body.received):
            raise self.broke
        if self._checksum and self._hash and not compare_digest(self._checksum.digest, self._hash.digest()):
            raise ChecksumMismatch


_bodies: dict[UUID, RawBody] = {}
"""The bodies that this process is reading, by the uploads that they belong to."""


@contextmanager
def _known(session_id: UUID, body: RawBody) -> Generator[None]:
    _bodies[session_id] = body
    try:
        yield
    finally:
        # Another one has its place if this one stalled for so long that it lost its turn.
        if _bodies.get(session_id) is body:
            del _bodies[session_id]


def interrupt(session_id: UUID) -> None:
    """End the request that this process is reading for an upload, because its client has come back.

    What it brought is kept. It gets `PartBusy`: a request that was cut may arrive after the one with which its client
    has come back, and then that one is ended, whose client goes on. The gateway sends the requests of one upload to one
    process. Where they do reach several, a request that hangs ends when it has stalled for long enough.
    """
    if body := _bodies.get(session_id):
        body.end()


async def free(context: Context, session: UploadSession) -> UploadSession:
    """The upload when no request is bringing bytes for it any more. Raises `PartBusy` if that takes too long.

    Only then can the client use the offset that it is told.
    """

    async def is_written() -> bool:
        interrupt(session.id)
        async with context.db.connection() as connection:
            return await queries.is_being_written(connection, session.id)

    if await wait_until(is_written, lambda written: not written, PATIENCE, first=0.01, longest=0.25):
        raise PartBusy
    return await sessions.find_session(context, session.id)


async def receive(
    context: Context, request: Request, session: UploadSession, at: int, max_size: int, checksum: Checksum | None
) -> int:
    """Append the body of `request` at offset `at`, after ending an earlier request of this upload; the new offset.

    `max_size`: the most bytes that the upload may have. Raises `OffsetWrong`, `PartBusy`, `TooLarge`, `QuotaExceeded`,
    `ChecksumMismatch`; then nothing of the body is stored. When the body broke off, it raises what happened, but what
    arrived is stored.
    """
    body = RawBody(request, max(max_size - at, 0))
    if session.size is None and at + (body.length or 0) <= max_size:
        # What is announced finds room before it is asked for.
        await reserve_up_to(context, session, at + (body.length or 0))
    noting = Noting(context.limiter, session.id) if session.item_id else None
    arriving = Arriving(body, checksum, at, noting)
    interrupt(session.id)
    async with Appending(context, session, PATIENCE) as turn:
        if at != turn.size:
            raise OffsetWrong(turn.size, at)
        with _known(session.id, body):
            await turn.write(at, arriving, max(max_size - at, 0))
        arriving.check()
    if arriving.broke:
        raise arriving.broke
    return turn.size
