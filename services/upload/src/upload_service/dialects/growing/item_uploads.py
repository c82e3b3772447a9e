"""The content of an item of a share. The ticket in the metadata is the right to send it, and names all the rest.

The upload is an ordinary one, which knows its item, and the item knows its upload: that of the last creation, so that a
sender can always begin again. An upload that no item names any more expires.
"""

from contextlib import suppress
from dataclasses import replace
from uuid import UUID

from common.errors import Conflict, DomainError, Gone, InvalidInput, NotFound, Unavailable
from upload_service.content import sessions
from upload_service.content.concatenating import concatenate
from upload_service.content.model import DIRECT, ITEM, PIECE_OF, QuotaExceeded, UploadSession
from upload_service.content.queries import sessions as queries
from upload_service.content.reporting import report
from upload_service.content.sessions import NewUpload, begin_upload
from upload_service.context import Context
from upload_service.dialects.growing.announcing import Announced
from upload_service.dialects.senders import Sender
from upload_service.shares import ItemPlace

BEGINNINGS = 4
"""How often the pieces of an item can be begun while those of earlier attempts are still there."""


class ItemUnwanted(Gone):
    """The share does not want this content any more, because it or the item has ended, or another upload brings it."""

    code = "item_unwanted"


class ItemSizeWrong(InvalidInput):
    """The upload has not the size of the item."""

    code = "item_size"


def in_parts(new: NewUpload, announced: Announced) -> NewUpload:
    """The upload as its content comes: in order, or in parts that its sender puts into the store."""
    new = replace(new, comes_later=announced.comes_later)
    if announced.part_size is None:
        return replace(new, grows=True)
    return replace(new, part_size=announced.part_size, intent={**new.intent, DIRECT: True})


async def start_piece(context: Context, new: NewUpload, place: ItemPlace) -> UploadSession:
    """A new upload that will be a piece of the item's content.

    Raises `ItemSizeWrong` when its size is unknown, or the open pieces would be larger than a few of the item, as the
    owner of the share has to have room for all of them. Raises what `start_upload` raises.
    """
    limits = await context.limits_for(place.owner)
    intent = {**new.intent, PIECE_OF: place.item_id.hex}
    async with context.db.transaction() as connection:
        await queries.lock_pieces_of(connection, place.item_id)
        others = await queries.size_of_pieces(connection, place.item_id)
        if new.size is None or new.size > place.size or others + new.size > BEGINNINGS * place.size:
            raise ItemSizeWrong
        return await begin_upload(connection, context, replace(new, owner=place.owner, intent=intent), limits)


async def create_for_item(
    context: Context,
    sender: Sender,
    announced: Announced,
    ticket: str,
    pieces: list[UUID] | None = None,
    concat: str | None = None,
) -> UploadSession:
    """A new upload for the content of an item; `pieces`: the uploads that become this one, as `concat` is answered.

    It counts as no upload of its own, because its share was counted. Raises `InvalidInput`, `NotFound` for a ticket
    that is none, `Gone` if the share has ended, `Conflict` if the content is there, and what `concatenate` raises.
    """
    place = await context.shares.place_of(ticket)
    intent = {ITEM: place.item_id.hex, "metadata": announced.kept, **({"concat": concat} if concat else {})}
    new = NewUpload(place.name, place.size, intent=intent, owner=place.owner, claims=announced.claims)
    if pieces is None and announced.size not in (None, place.size):
        raise ItemSizeWrong

    async def begin() -> UploadSession:
        if pieces is not None:
            return await concatenate(context, new, pieces, sender.identity, place.size)
        return await sessions.start_upload(context, in_parts(new, announced))

    try:
        session = await begin()
    except QuotaExceeded:
        if place.session_id is None:
            raise
        # The upload whose place this one takes may have the room that is missing.
        await _give_up(context, place.session_id)
        session = await begin()
    try:
        if session.size != place.size:
            raise ItemSizeWrong
        earlier = await context.shares.bind_item(place.item_id, session.id)
    except DomainError as error:
        # A sender that sent its parts side by side asks again for the whole, and must not lose them.
        if not (isinstance(error, Unavailable) and pieces is not None):
            await _abort(context, session.id)
        raise
    if earlier is not None:
        await _give_up(context, earlier)
    return session


async def finish_item(context: Context, session: UploadSession) -> None:
    """Give the complete content to its item. Raises `ItemUnwanted`; then nothing of it stays. Asked again, the same."""
    if not await report(context, session):
        raise ItemUnwanted


async def _give_up(context: Context, session_id: UUID) -> None:
    """Leave nothing of an upload whose place another one has taken."""
    with suppress(NotFound):
        try:
            await sessions.abort_upload(context, session_id)
        except Conflict:
            # Its bytes were all there, and the share service had not heard of that.
            await report(context, await sessions.find_session(context, session_id))


async def _abort(context: Context, session_id: UUID) -> None:
    with suppress(NotFound, Conflict, Unavailable):
        await sessions.abort_upload(context, session_id)
