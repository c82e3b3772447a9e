"""Finding and listing rooms."""

from uuid import UUID

from chat_service.context import Context
from chat_service.rooms import names
from chat_service.rooms.model import ListedRoom, Room, RoomNotFound, RoomState
from chat_service.rooms.queries import rooms
from common.identity import Identity
from common.rights import Action


async def find_room(context: Context, name: str) -> Room | None:
    """The open room of this name, even if it is private: the caller has yet to check the password."""
    key = names.lookup_key(name)
    if not key:
        return None
    async with context.db.connection() as connection:
        return await rooms.room_of_name(connection, key)


async def see_room(context: Context, identity: Identity, room_id: int) -> RoomState:
    """A room. Raises `RoomNotFound`, also for a private room that the account is not in; `ChatUnavailable`."""
    state = await context.states.fresh(room_id)
    state.demand(Action.SEE, identity)
    return state


async def is_member(context: Context, room_id: int, account_id: UUID) -> bool:
    """Whether an account is a member of an open room. Raises `ChatUnavailable`."""
    try:
        state = await context.states.fresh(room_id)
    except RoomNotFound:
        return False
    return account_id in state.members


async def list_public_rooms(context: Context, identity: Identity, after: int, limit: int) -> list[ListedRoom]:
    """Up to `limit` public rooms with ids above `after`, the oldest first."""
    async with context.db.connection() as connection:
        return await rooms.public_rooms(connection, identity.account_id, after, limit)


async def list_own_rooms(context: Context, identity: Identity, after: int, limit: int) -> list[ListedRoom]:
    """Up to `limit` rooms that the account is a member of, with ids above `after`, the oldest first."""
    async with context.db.connection() as connection:
        return await rooms.rooms_of_account(connection, identity.account_id, after, limit)
