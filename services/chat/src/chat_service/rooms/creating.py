"""Creating, changing and closing rooms."""

from dataclasses import replace
from typing import Any, cast

from chat_service.bounds import Bounds
from chat_service.context import Context
from chat_service.rooms import names
from chat_service.rooms.changes import changing
from chat_service.rooms.finding import find_room, see_room
from chat_service.rooms.model import (
    Member,
    MemberRole,
    NewRoom,
    RoomChanges,
    RoomNameTaken,
    RoomState,
)
from chat_service.rooms.numbers import check_new
from chat_service.rooms.queries import members, rooms
from chat_service.streams import EventType
from common import clock
from common.audit import Act, Author
from common.audit_log import record
from common.errors import InvalidInput
from common.identity import Identity
from common.lookalikes import skeleton
from common.rights import Action


async def create_room(context: Context, identity: Identity, new: NewRoom) -> RoomState:
    """Create a room, whose owner and first member is the account.

    Raises `RoomNameUnusable`, `RoomNameTaken`, `PublicRoomsFull`, `TooManyRooms`, `InvalidInput` (a value out of
    bounds, or a public room with a password), `PasswordUnusable`, `Unavailable`.
    """
    name = names.shown(new.name)
    if new.password is not None and not new.is_private:
        raise InvalidInput("a public room has no password")
    if not new.is_private and (new.bans_end_invitations or new.bans_hold_address_seconds):
        raise InvalidInput("bans of a public room hold accounts alone")
    bounds = await context.room_bounds()
    check_bounds(bounds, new.lifetime_seconds, new.capacity)
    if new.password is not None and await find_room(context, name):
        # The database would say the same, but only after the password was hashed for nothing.
        raise RoomNameTaken
    hashed = None if new.password is None else await context.passwords.hash(new.password)
    now = clock.now()
    async with context.db.transaction() as connection:
        await check_new(connection, bounds, identity.account_id, is_private=new.is_private)
        # The insertion would say the same, but use an id.
        if await rooms.is_name_taken(connection, names.key(name), skeleton(name)):
            raise RoomNameTaken
        room = await rooms.insert_room(
            connection,
            name=name,
            name_key=names.key(name),
            name_skeleton=skeleton(name),
            is_private=new.is_private,
            password_hash=hashed,
            owner=identity.account_id,
            lifetime_seconds=new.lifetime_seconds or bounds.lifetime_seconds,
            capacity=new.capacity or bounds.capacity,
            revoke_files=new.revoke_files,
            file_lifetime_seconds=new.file_lifetime_seconds,
            bans_end_invitations=new.bans_end_invitations,
            bans_hold_address_seconds=new.bans_hold_address_seconds,
            created_at=now,
        )
        if room is None:
            raise RoomNameTaken
        owner = Member(identity.account_id, MemberRole.OWNER, None, now)
        await members.insert_owner(connection, room.id, owner)
    return RoomState(room, {owner.account_id: owner})


async def edit_room(context: Context, identity: Identity, room_id: int, changes: RoomChanges) -> RoomState:
    """Change a room; only its owner may.

    The values that can change: `name`, `password` (None: only invitations open the room), `lifetime_seconds`,
    `capacity`, `revoke_files`, `file_lifetime_seconds`, `bans_end_invitations`, `bans_hold_address_seconds` (None: no
    address is held any more, and those of members are forgotten). Raises `RoomNotFound`, `NotAMember`, `Forbidden`,
    and the errors of `create_room`.
    """
    values = cast("dict[str, Any]", dict(changes.values))
    (await see_room(context, identity, room_id)).demand(Action.EDIT, identity)
    check_bounds(await context.room_bounds(), values.get("lifetime_seconds"), values.get("capacity"))
    if "name" in values:
        values["name"] = names.shown(values["name"])
    if "password" in values:
        password = values.pop("password")
        values["password_hash"] = None if password is None else await context.passwords.hash(password)
    async with changing(context, room_id) as change:
        change.state.demand(Action.EDIT, identity)
        if not change.room.is_private and values.get("password_hash") is not None:
            raise InvalidInput("a public room has no password")
        changed = replace(change.room, **values)
        if not changed.is_private and (changed.bans_end_invitations or changed.bans_hold_address_seconds):
            raise InvalidInput("bans of a public room hold accounts alone")
        if changed.bans_hold_address_seconds is None and change.room.bans_hold_address_seconds is not None:
            await members.release_addresses(change.connection, room_id)
            await members.forget_addresses_of(change.connection, room_id)
        if changed != change.room:
            change.room = changed
            change.announce(
                EventType.ROOM,
                name=changed.name,
                lifetime_seconds=changed.lifetime_seconds,
                capacity=changed.capacity,
            )
    return change.state


async def close_room(context: Context, author: Author, room_id: int) -> None:
    """Close a room for good; its owner may, and administrators, whose acts on rooms of others are recorded.

    Raises `RoomNotFound`, `NotAMember`, `Forbidden`.
    """
    async with changing(context, room_id) as change:
        change.state.demand(Action.DELETE, author.identity)
        await change.close(clock.now())
        if change.room.owner != author.identity.account_id:
            old = {"owner": str(change.room.owner), "members": len(change.members)}
            act = Act("room.close", "room", str(room_id), change.room.name, old=old)
            await record(change.connection, author, [act])


def check_bounds(bounds: Bounds, lifetime_seconds: int | None, capacity: int | None) -> None:
    """Raise `InvalidInput` unless rooms may have these values. None is always right."""
    if lifetime_seconds is not None and not 0 < lifetime_seconds <= bounds.lifetime_max_seconds:
        raise InvalidInput(f"lifetime_seconds is 1 to {bounds.lifetime_max_seconds}")
    if capacity is not None and not 0 < capacity <= bounds.capacity_max:
        raise InvalidInput(f"capacity is 1 to {bounds.capacity_max}")
