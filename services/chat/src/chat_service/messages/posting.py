"""Posting messages, with or without a file.

A message without a file costs one step in Valkey: `write` goes by what this process remembers of the room, without
asking the database.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from chat_service.context import Context
from chat_service.messages.model import SharedFile
from chat_service.rooms.model import RoomNotFound, RoomState
from chat_service.rooms.queries import files
from chat_service.rooms.states import TRIES, RoomBusy
from chat_service.streams import Draft, Message, StaleRoom, is_event_id
from common import clock
from common.errors import Forbidden, InvalidInput, NotFound
from common.identity import Identity
from common.repeatable import Repeatable

Result = TypeVar("Result")


async def post_message(
    context: Context,
    identity: Identity,
    room_id: int,
    text: str,
    *,
    reply_to: str | None = None,
    file: SharedFile | None = None,
    repeatable: Repeatable | None = None,
) -> Message:
    """Post a message. `reply_to`: the id of another message, which may have expired.

    A `repeatable` send that is sent again is the same message. Raises `RoomNotFound`, `NotAMember`, `Muted`,
    `MessageEmpty`, `MessageUnusable`, `MessageTooLarge`, `MessageRefused`, `InvalidInput`, `IdempotencyKeyReused`,
    `Unavailable`.
    """
    draft, streams = _draft(context, identity, text, reply_to, file), context.streams
    return await write(context, identity, room_id, lambda state: streams.post(state.room.terms, draft, repeatable))


async def posted_before(context: Context, identity: Identity, room_id: int, repeatable: Repeatable) -> Message | None:
    """The message that this send has posted lately; None if there is none, or it is gone.

    Raises the errors of `post_message`.
    """
    return await write(context, identity, room_id, lambda state: context.streams.sent(state.room.terms, repeatable))


async def post_file(
    context: Context,
    identity: Identity,
    room_id: int,
    text: str,
    *,
    file: SharedFile,
    share_id: UUID,
    ends_at: datetime | None = None,
    reply_to: str | None = None,
    repeatable: Repeatable | None = None,
) -> Message:
    """Post a message that carries a file by `share_id`, a share of the account's own that ends by itself at `ends_at`.

    The share is recorded before the message is posted, so that the end of the room revokes it even if this process
    dies in between. Raises the errors of `post_message`, and then no record is left.
    """
    draft = _draft(context, identity, text, reply_to, file)

    async def record_and_post(state: RoomState) -> Message:
        room, now = state.room, clock.now()
        revoke_at = None
        if room.file_lifetime_seconds is not None:
            revoke_at = now + timedelta(seconds=room.lifetime_seconds + room.file_lifetime_seconds)
        async with context.db.connection() as connection:
            if not await files.insert_file(connection, room_id, share_id, now, revoke_at):
                raise RoomNotFound
        ends = min((each for each in (ends_at, revoke_at) if each), default=None)
        told: SharedFile = {**file, "expires_at": clock.in_json(ends) if ends else None}
        try:
            message = await context.streams.post(room.terms, replace(draft, file=told), repeatable)
        except BaseException:
            async with context.db.connection() as connection:
                await files.forget_unposted(connection, room_id, share_id)
            raise
        async with context.db.connection() as connection:
            await files.mark_posted(connection, room_id, share_id, message.id)
        return message

    return await write(context, identity, room_id, record_and_post)


async def post_file_once(
    context: Context, identity: Identity, room_id: int, text: str, *, file: SharedFile, share_id: UUID
) -> str:
    """Post a file like `post_file`, unless the same share is already posted in the room. Returns the message's id.

    A caller that received no answer can therefore ask again.
    """
    async with context.db.connection() as connection:
        known = await files.file_of(connection, room_id, share_id)
    if known and known.message_id:
        return known.message_id
    return (await post_file(context, identity, room_id, text, file=file, share_id=share_id)).id


async def write(
    context: Context,
    identity: Identity,
    room_id: int,
    attempt: Callable[[RoomState], Awaitable[Result]],
    *,
    even_muted: bool = False,
) -> Result:
    """Call `attempt` with a state of the room in which the account may write, and return its result.

    The remembered state may be outdated. If it is, Valkey refuses the attempt (`StaleRoom`), and the next attempt gets
    the current state. An account that may not write by the remembered state is refused only by the current one.
    """
    now = clock.now()
    state = context.states.known(room_id)
    try:
        if state is not None:
            state.demand_writing(identity, now, even_muted=even_muted)
    except (Forbidden, NotFound):
        state = None
    if state is None:
        state = await context.states.fresh(room_id)
        state.demand_writing(identity, now, even_muted=even_muted)
    for _ in range(TRIES):
        try:
            return await attempt(state)
        except StaleRoom:
            state = await context.states.renewed(room_id, state.room.version)
            state.demand_writing(identity, now, even_muted=even_muted)
    raise RoomBusy


def _draft(context: Context, identity: Identity, text: str, reply_to: str | None, file: SharedFile | None) -> Draft:
    """The message to post. Raises the errors about texts, and `InvalidInput`."""
    accepted = context.texts.accept(text, context.bounds.message_bytes)
    if reply_to is not None and not is_event_id(reply_to):
        raise InvalidInput("reply_to is not the id of a message")
    return Draft(identity.account_id, identity.name, accepted, reply_to, file)
