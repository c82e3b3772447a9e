"""Taking rooms over from another system, with their members and the passwords that these know."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chat_service.bounds import Bounds
from chat_service.context import Context
from chat_service.rooms import names
from chat_service.rooms.changes import changing
from chat_service.rooms.model import Member, MemberRole, Room, RoomNameTaken, RoomNotFound
from chat_service.rooms.names import RoomNameUnusable
from chat_service.rooms.numbers import check_new
from chat_service.rooms.queries import imports, members, rooms
from common import clock
from common.audit import OPERATOR, Act
from common.audit_log import record
from common.db import Connection
from common.errors import Conflict
from common.lookalikes import alternatives, is_invisible, skeleton

NUMBERS = 100
"""The names that are tried for one room."""
_DIGEST = re.compile("[0-9a-f]{64}")


class NobodyInIt(Conflict):
    """Nobody who was in this room has an account here, and every room has an owner."""

    code = "nobody_in_it"


@dataclass(frozen=True, slots=True)
class ForeignMember:
    """A member of a room of the other system, who has this account here."""

    origin: bytes
    account_id: UUID
    name: str
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class ForeignRoom:
    """A room as the other system has it."""

    origin: bytes
    """A digest of what identifies it there: the same room is imported once."""
    name: str
    is_private: bool
    password_digest: str
    """The SHA-256 of its password, in hex; any other text: it has none that can be checked."""
    created_at: datetime
    members: Sequence[ForeignMember]
    """Those with an account here, the oldest first; no account twice."""


@dataclass(frozen=True, slots=True)
class ImportedRoom:
    """The outcome for a room. `name`: the one that it has here; empty: it was here before."""

    name: str
    members: int
    """Members who were added."""
    surplus: int = 0
    """Members who were not, because a room has no place for more."""
    has_password: bool = True


async def import_room(
    context: Context, foreign: ForeignRoom, bounds: Bounds, *, source: str, write: bool
) -> ImportedRoom:
    """Make the room, or add its new members to it; without `write`, only see what would come of it.

    The oldest member becomes the owner, because in other systems nobody is. Members are added once, so whoever leaves
    the room or is removed from it does not come back. Raises `NobodyInIt`, `RoomNameUnusable`, `RoomNameTaken` if all
    names are taken that could be given to it, `TooManyRooms`, `PublicRoomsFull`, `ChatUnavailable`.
    """
    async with context.db.connection() as connection:
        room_id = await imports.imported_room(connection, foreign.origin)
    if room_id is not None:
        return ImportedRoom("", *await _add_members(context, room_id, foreign, bounds, write=write))
    if not foreign.members:
        raise NobodyInIt
    hashed = None
    if foreign.is_private and _DIGEST.fullmatch(foreign.password_digest):
        hashed = await context.passwords.hash_digest(foreign.password_digest)
    async with context.db.connection() as connection, connection.transaction(force_rollback=not write):
        now, kept = clock.now(), foreign.members[: bounds.room_members]
        if not await imports.insert_imported(connection, foreign.origin, now):
            # Another import was faster, and brings its members.
            return ImportedRoom("", 0)
        await check_new(connection, bounds, kept[0].account_id, is_private=foreign.is_private)
        room = await _insert(connection, foreign, bounds, hashed, source)
        await imports.set_imported_room(connection, foreign.origin, room.id)
        owner = Member(room.owner, MemberRole.OWNER, None, kept[0].joined_at)
        await members.insert_owner(connection, room.id, owner)
        ids, moments = [one.account_id for one in kept[1:]], [one.joined_at for one in kept[1:]]
        await imports.insert_members(connection, room.id, ids, moments)
        await imports.insert_all_imported(connection, [one.origin for one in kept], now)
        shown = foreign.name.replace("\0", "")[: names.NAME_LENGTH]
        new = {"from": source, "name": shown, "members": len(kept)}
        await record(connection, OPERATOR, [Act("room.import", "room", str(room.id), room.name, new=new)])
    has_password = hashed is not None or not foreign.is_private
    return ImportedRoom(room.name, len(kept), len(foreign.members) - len(kept), has_password)


async def _insert(
    connection: Connection, foreign: ForeignRoom, bounds: Bounds, hashed: str | None, source: str
) -> Room:
    """Insert the room under the first name that is free."""
    for name in _candidates(foreign.name, source):
        key, looks = names.key(name), skeleton(name)
        if await rooms.is_name_taken(connection, key, looks):
            continue
        room = await rooms.insert_room(
            connection,
            name=name,
            name_key=key,
            name_skeleton=looks,
            is_private=foreign.is_private,
            password_hash=hashed,
            owner=foreign.members[0].account_id,
            lifetime_seconds=bounds.lifetime_seconds,
            capacity=bounds.capacity,
            revoke_files=False,
            file_lifetime_seconds=None,
            bans_end_invitations=False,
            bans_hold_address_seconds=None,
            created_at=foreign.created_at,
        )
        if room:
            return room
    raise RoomNameTaken


async def _add_members(
    context: Context, room_id: int, foreign: ForeignRoom, bounds: Bounds, *, write: bool
) -> tuple[int, int]:
    """Add the members who are new. Returns their number, and that of those for whom there was no place."""
    async with context.db.connection() as connection:
        known = await imports.known_imports(connection, [one.origin for one in foreign.members])
    new = [one for one in foreign.members if one.origin not in known]
    if not new or not write:
        return len(new), 0
    added = surplus = 0
    try:
        async with changing(context, room_id) as change:
            place = max(bounds.room_members - len(change.members), 0)
            new, surplus = new[:place], len(new) - len(new[:place])
            fresh = await imports.insert_all_imported(change.connection, [one.origin for one in new], clock.now())
            for one in new:
                if one.origin in fresh and one.account_id not in change.members:
                    member = Member(one.account_id, MemberRole.MEMBER, None, one.joined_at)
                    # In place of an address, which nobody knows: a ban that holds this one bars nobody else.
                    address = context.address_digest(room_id, f"account {one.account_id}")
                    admission = await change.let_in(member, one.name, address, None)
                    added += admission.is_added
    except RoomNotFound:
        # It was closed here.
        return 0, 0
    return added, surplus


def _candidates(name: str, suffix: str) -> Iterator[str]:
    """The name, without what nobody sees; then with the suffix, and with a number. Raises `RoomNameUnusable`."""
    seen = "".join(character for character in name if not is_invisible(character))
    try:
        best = names.shown(name)
    except RoomNameUnusable:
        best = names.shown(seen[: names.NAME_LENGTH])
    yield from alternatives(best, names.NAME_LENGTH, suffix, NUMBERS)
