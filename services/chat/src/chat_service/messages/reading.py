"""Reading the messages of a room. When nothing has happened since the last reader, it costs one step in Valkey."""

from chat_service.context import Context
from chat_service.streams import Rendering
from common.identity import Identity
from common.rights import Action


async def read_messages(context: Context, identity: Identity, room_id: int, rendering: Rendering) -> bytes:
    """The messages of a room in this form, which is rendered once for all readers.

    Raises `RoomNotFound`, `NotAMember`, `Unavailable`.
    """
    state, pulse = await context.states.checked(room_id)
    state.demand(Action.READ, identity)
    return await context.lists.body(state.room.terms, pulse, rendering)
