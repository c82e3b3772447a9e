"""The numbers of rooms that an account, and everybody together, may have."""

from uuid import UUID

from chat_service.bounds import Bounds
from chat_service.rooms.model import PublicRoomsFull, TooManyRooms
from chat_service.rooms.queries import rooms
from common.db import Connection


async def check_new(connection: Connection, bounds: Bounds, owner: UUID, *, is_private: bool) -> None:
    """Raise `TooManyRooms` or `PublicRoomsFull` if there may be no other room. Others wait for the commit."""
    await check_owned(connection, bounds, owner, is_private=is_private)
    if is_private:
        return
    await rooms.lock_public_rooms(connection)
    if await rooms.count_public_rooms(connection, bounds.public_rooms) == bounds.public_rooms:
        raise PublicRoomsFull(bounds.public_rooms)


async def check_owned(connection: Connection, bounds: Bounds, owner: UUID, *, is_private: bool) -> None:
    """Raise `TooManyRooms` if the account may own no other room. Others who give it one wait for the commit."""
    await rooms.lock_rooms_of(connection, owner)
    if await rooms.count_rooms_of(connection, owner, bounds.rooms_per_account) == bounds.rooms_per_account:
        raise TooManyRooms
    most = bounds.public_rooms_per_account
    if not is_private and await rooms.count_rooms_of(connection, owner, most, only_public=True) == most:
        raise TooManyRooms
