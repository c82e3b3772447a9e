"""Direct parts: numbered parts that senders put into the store themselves, through the gateway, past this process.

The session is one of known size in parts of one size. The store tells which parts it has, so nothing is recorded before
the end; then the content is read back once for its digest, as nobody has seen it pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common import clock
from common.errors import Conflict, InvalidInput
from common.store import StoredPart, UploadMissing
from common.store.limits import MAX_PARTS, MIB, S3_LIMITS
from upload_service.content.completing import PartsMissing
from upload_service.content.context import Context
from upload_service.content.model import Layout, SessionState, UploadSession, plan_parts
from upload_service.content.queries import parts, sessions
from upload_service.content.sessions import find_session
from upload_service.content.storing import PartLengthWrong, StoreForgot, begin_multipart, forget_stored_parts

LIFETIME = timedelta(minutes=15)
"""The time for which an address of a part can be used to begin sending it."""
USUAL_PART_SIZE = 16 * MIB


class DirectPartsUnsupported(InvalidInput):
    """The store of this system takes no parts from its clients. Send the file by another protocol."""

    code = "direct_parts_unsupported"


@dataclass(frozen=True, slots=True)
class PartAddress:
    """The right to send one part."""

    number: int
    """From 1."""
    size: int
    path: str
    """Behind the gateway's prefix."""
    expires_at: datetime


def part_size_of(context: Context, size: int, asked: int | None) -> int:
    """The size of the parts of a file. Raises `DirectPartsUnsupported`, `InvalidInput`, `TooLarge`."""
    if not context.store.limits.takes_direct:
        raise DirectPartsUnsupported
    part_size = asked or max(USUAL_PART_SIZE, -(-size // MAX_PARTS))
    if size < 1 or plan_parts(size, part_size, S3_LIMITS).layout is not Layout.PARTS:
        raise InvalidInput("a file has at least one byte, parts at least 5 MiB, and there are at most 10,000")
    return part_size


async def part_addresses(context: Context, session: UploadSession, numbers: Sequence[int]) -> list[PartAddress]:
    """The addresses to which these parts can be sent. They extend the life of the upload.

    Raises `PartIndexInvalid`, `Conflict` once the upload is complete, and `SessionNotFound`.
    """
    if session.state is not SessionState.OPEN:
        raise Conflict("the upload is complete already")
    sizes = {number: session.part_length(number - 1) for number in numbers}
    multipart_id = session.multipart_id or await begin_multipart(context, session)
    async with context.db.connection() as connection:
        await sessions.extend_sessions(connection, [session.id], context.session_lifetime)
    ends = clock.now() + LIFETIME
    addresses: list[PartAddress] = []
    for number, size in sizes.items():
        path = context.store.part_path(session.object_key, multipart_id, number, size, LIFETIME)
        if path is None:
            raise DirectPartsUnsupported
        addresses.append(PartAddress(number, size, path, ends))
    return addresses


async def parts_in_store(context: Context, session: UploadSession) -> list[StoredPart]:
    """The parts that have arrived. Raises `StoreForgot` if the store has dropped them."""
    if session.state is not SessionState.OPEN or session.multipart_id is None:
        return []
    try:
        return await context.store.stored_parts(session.object_key, session.multipart_id)
    except UploadMissing:
        if (await find_session(context, session.id)).state is not SessionState.OPEN:
            # Another request has completed it meanwhile.
            return []
        await forget_stored_parts(context, session.id, session.multipart_id)
        raise StoreForgot from None


async def record_parts(context: Context, session: UploadSession) -> None:
    """Record what the store has, before the upload is completed. Raises `PartsMissing`, `PartLengthWrong`."""
    found = await parts_in_store(context, session)
    if len(found) != session.part_count:
        if (await find_session(context, session.id)).state is SessionState.OPEN:
            raise PartsMissing
        return
    for part in found:
        if part.size != (expected := session.part_length(part.number - 1)):
            raise PartLengthWrong(expected, part.size)
    async with context.db.connection() as connection:
        await parts.record_stored(connection, session.id, found)
