"""Writing to a room by what this process remembers of it, without asking the database each time."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chat_service.context import Context
from chat_service.rooms.model import RoomState
from chat_service.rooms.states import TRIES, RoomBusy
from chat_service.streams import StaleRoom
from common import clock
from common.errors import Forbidden, NotFound
from common.identity import Identity

Result = TypeVar("Result")


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
