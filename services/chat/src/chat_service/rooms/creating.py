"""Making, finding, changing and closing rooms."""

from dataclasses import replace
from typing import Any, cast
from uuid import UUID

from chat_service.context import Context
from chat_service.rooms import names
from chat_service.rooms.changes import changing, demand
from chat_service.rooms.model import (
    Bounds,
    ListedRoom,
    Member,
    MemberRole,
    NewRoom,
    PublicRoomsFull,
    Room,
    RoomChanges,
    RoomNameTaken,
    RoomNotFound,
    RoomState,
)
from chat_service.rooms.queries import members, rooms
from chat_service.streams import EventType
from common import clock
from common.errors import InvalidInput
from common.identity import Identity
from common.rights import Action


async def create_room(context: Context, identity: Identity, new: NewRoom) -> RoomState:
    """Make a room, whose owner and first member is the account.

    Raises `RoomNameUnusable`, `RoomNameTaken`, `PublicRoomsFull`, `InvalidInput` (out of bounds, a public room with a
    password), `PasswordUnusable`, `Unavailable`.
    """
    name = names.shown(new.name)
    if new.password is not None and not new.is_private:
        raise InvalidInput("a public room has no password")
    _check_bounds(context.bounds, new.lifetime_seconds, new.capacity)
    if new.password is not None and await find_room(context, name):
        # The answer that the database would give, before a password is hashed for nothing.
        raise RoomNameTaken
    hashed = None if new.password is None else await context.passwords.hash(new.password)
    now, bounds = clock.now(), context.bounds
    async with context.db.transaction() as connection:
        if not new.is_private:
            await rooms.lock_public_rooms(connection)
        room = await rooms.insert_room(
            connection,
            name=name,
            name_key=names.key(name),
            is_private=new.is_private,
            password_hash=hashed,
            owner=identity.account_id,
            lifetime_seconds=new.lifetime_seconds or bounds.lifetime_seconds,
            capacity=new.capacity or bounds.capacity,
            revoke_files=new.revoke_files,
            file_lifetime_seconds=new.file_lifetime_seconds,
            created_at=now,
        )
        if room is None:
            raise RoomNameTaken
        limit = bounds.public_rooms
        if not new.is_private and await rooms.count_public_rooms(connection, limit + 1) > limit:
            raise PublicRoomsFull(limit)
        owner = Member(identity.account_id, MemberRole.OWNER, None, now)
        await members.insert_member(connection, room.id, owner)
    return RoomState(room, {owner.account_id: owner})


async def find_room(context: Context, name: str) -> Room | None:
    """The open room of this name, private or not, for who is about to show its password."""
    key = names.lookup_key(name)
    if not key:
        return None
    async with context.db.connection() as connection:
        return await rooms.room_of_name(connection, key)


async def list_public_rooms(context: Context, identity: Identity, after: int, limit: int) -> list[ListedRoom]:
    """Up to `limit` public rooms with ids above `after`, the oldest first."""
    async with context.db.connection() as connection:
        return await rooms.public_rooms(connection, identity.account_id, after, limit)


async def list_own_rooms(context: Context, identity: Identity, after: int, limit: int) -> list[ListedRoom]:
    """Up to `limit` rooms that the account is in, with ids above `after`, the oldest first."""
    async with context.db.connection() as connection:
        return await rooms.rooms_of_account(connection, identity.account_id, after, limit)


async def see_room(context: Context, identity: Identity, room_id: int) -> RoomState:
    """A room. Raises `RoomNotFound`, also for a private room that the account is not in; `ChatUnavailable`."""
    state = await context.states.fresh(room_id)
    demand(Action.SEE, state, identity)
    return state


async def edit_room(context: Context, identity: Identity, room_id: int, changes: RoomChanges) -> RoomState:
    """Change a room; only its owner may. Values: `name`, `password` (None: only invitations open it),
    `lifetime_seconds`, `capacity`, `revoke_files`, `file_lifetime_seconds`.

    Raises `RoomNotFound`, `NotAMember`, `Forbidden`, and what `create_room` raises.
    """
    values = cast("dict[str, Any]", dict(changes.values))
    demand(Action.EDIT, await see_room(context, identity, room_id), identity)
    _check_bounds(context.bounds, values.get("lifetime_seconds"), values.get("capacity"))
    if "name" in values:
        values["name"] = names.shown(values["name"])
    if "password" in values:
        password = values.pop("password")
        values["password_hash"] = None if password is None else await context.passwords.hash(password)
    async with changing(context, room_id) as change:
        demand(Action.EDIT, change.state, identity)
        if not change.room.is_private and values.get("password_hash") is not None:
            raise InvalidInput("a public room has no password")
        changed = replace(change.room, **values)
        if changed != change.room:
            change.room = changed
            told = {"name": changed.name, "lifetime_seconds": changed.lifetime_seconds, "capacity": changed.capacity}
            change.tell(EventType.ROOM, **told)
    return change.state


async def close_room(context: Context, identity: Identity, room_id: int) -> None:
    """Close a room for good; its owner and administrators may. Raises `RoomNotFound`, `NotAMember`, `Forbidden`."""
    async with changing(context, room_id) as change:
        demand(Action.DELETE, change.state, identity)
        await change.close(clock.now())


async def is_member(context: Context, room_id: int, account_id: UUID) -> bool:
    """Whether an account is in an open room. Raises `ChatUnavailable`."""
    try:
        state = await context.states.fresh(room_id)
    except RoomNotFound:
        return False
    return account_id in state.members


def _check_bounds(bounds: Bounds, lifetime_seconds: int | None, capacity: int | None) -> None:
    if lifetime_seconds is not None and not 0 < lifetime_seconds <= bounds.lifetime_max_seconds:
        raise InvalidInput(f"lifetime_seconds is 1 to {bounds.lifetime_max_seconds}")
    if capacity is not None and not 0 < capacity <= bounds.capacity_max:
        raise InvalidInput(f"capacity is 1 to {bounds.capacity_max}")
