"""What is said in rooms. Writing costs one step in Valkey, reading what nobody said anything new in another."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chat_service.context import Context
from chat_service.rooms.changes import demand
from chat_service.rooms.model import Muted, RoomState, SharedFile
from chat_service.rooms.states import TRIES, RoomBusy, terms_of
from chat_service.streams import Draft, Message, NotYourMessage, RoomTerms, StaleRoom, is_event_id
from chat_service.streams.lists import Render
from common import clock
from common.errors import DomainError, InvalidInput
from common.identity import Identity
from common.rights import Action, permitted

Result = TypeVar("Result")


async def post_message(
    context: Context,
    identity: Identity,
    room_id: int,
    text: str,
    *,
    reply_to: str | None = None,
    file: SharedFile | None = None,
) -> Message:
    """Say something in a room. `reply_to`: the id of a message, which may be gone already.

    Raises `RoomNotFound`, `NotAMember`, `Muted`, `MessageEmpty`, `MessageUnusable`, `MessageTooLarge`,
    `MessageRefused`, `InvalidInput`, `Unavailable`.
    """
    kept = context.texts.kept(text, context.bounds.message_bytes)
    if reply_to is not None and not is_event_id(reply_to):
        raise InvalidInput("reply_to is no message's id")
    draft = Draft(identity.account_id, identity.name, kept, reply_to, file.to_json() if file else None)
    return await _writing(context, identity, room_id, lambda terms: context.streams.post(terms, draft))


async def edit_message(context: Context, identity: Identity, room_id: int, message_id: str, text: str) -> Message:
    """Give a message of one's own another text. Raises `MessageNotFound`, `NotYourMessage`, and as `post_message`."""
    kept = context.texts.kept(text, context.bounds.message_bytes)
    author = identity.account_id
    return await _writing(
        context, identity, room_id, lambda terms: context.streams.edit(terms, message_id, author, kept)
    )


async def delete_message(context: Context, identity: Identity, room_id: int, message_id: str) -> None:
    """Take a message back; owner and moderators may delete those of others.

    Raises `RoomNotFound`, `NotAMember`, `MessageNotFound`, `NotYourMessage`, `Unavailable`.
    """

    async def delete(terms: RoomTerms) -> None:
        try:
            await context.streams.delete(terms, message_id, identity.account_id)
        except NotYourMessage:
            state = context.states.known(room_id)
            if state is None or state.room.version != terms.version:
                raise StaleRoom from None
            if not permitted(Action.MODERATE, state.actor(identity), state.room.owner):
                raise
            await context.streams.delete(terms, message_id, None)

    await _writing(context, identity, room_id, delete, is_muted_too=True)


async def list_messages(context: Context, identity: Identity, room_id: int) -> list[Message]:
    """The living messages of a room, the oldest first. Raises `RoomNotFound`, `NotAMember`, `Unavailable`."""
    state = await context.states.fresh(room_id)
    demand(Action.READ, state, identity)
    return await context.streams.messages(terms_of(state.room))


async def messages_body(context: Context, identity: Identity, room_id: int, render: Render) -> bytes:
    """`list_messages` as `render` (a function of a module) shows them: made once for all who read the same."""
    state, pulse = await context.states.checked(room_id)
    demand(Action.READ, state, identity)
    return await context.lists.body(state, pulse, render)


async def _writing(
    context: Context,
    identity: Identity,
    room_id: int,
    write: Callable[[RoomTerms], Awaitable[Result]],
    *,
    is_muted_too: bool = False,
) -> Result:
    """Write by what is known of the room. Valkey refuses where that is old, and then it is read anew.

    What is known may also forbid what is allowed by now: nobody is refused without a look at what is true.
    """
    states = context.states
    state = states.known(room_id)
    if state is None or not _may_write(state, identity, is_muted_too):
        state = await states.fresh(room_id)
    for _ in range(TRIES):
        _check(state, identity, is_muted_too)
        try:
            return await write(terms_of(state.room))
        except StaleRoom:
            state = await states.renewed(room_id, state.room.version)
    raise RoomBusy


def _check(state: RoomState, identity: Identity, is_muted_too: bool) -> None:
    demand(Action.WRITE, state, identity)
    if not is_muted_too and state.members[identity.account_id].is_muted(clock.now()):
        raise Muted


def _may_write(state: RoomState, identity: Identity, is_muted_too: bool) -> bool:
    try:
        _check(state, identity, is_muted_too)
    except DomainError:
        return False
    return True
