"""Changing a room: its settings and its members.

Every change is a transaction that holds the lock of the room's row, gives the room a new version, and tells Valkey
right before the commit. From then on nobody writes by what was true before, and nobody hears what they may not: with
Valkey down, nothing can be changed.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chat_service.context import Context
from chat_service.rooms import names
from chat_service.rooms.model import (
    ROOM_ID_MAX,
    Member,
    MemberNotFound,
    MemberRole,
    NotAMember,
    Room,
    RoomNameTaken,
    RoomNotFound,
    RoomState,
    heir,
)
from chat_service.rooms.queries import files, invitations, members, rooms
from chat_service.rooms.states import terms_of
from chat_service.streams import ChatUnavailable, Event, EventType
from common import logging
from common.db import Connection
from common.errors import Forbidden, NotFound
from common.identity import Identity
from common.rights import Action, require


class Change:
    """A room whose row is locked, and what is done to it."""

    def __init__(self, connection: Connection, state: RoomState) -> None:
        self.connection = connection
        self.room = state.room
        self.members = dict(state.members)
        self.events: list[Event] = []
        self.is_closed = False

    @property
    def state(self) -> RoomState:
        return RoomState(self.room, self.members)

    def member(self, account_id: UUID) -> Member:
        """A member. Raises `MemberNotFound`."""
        found = self.members.get(account_id)
        if found is None:
            raise MemberNotFound
        return found

    async def add(self, member: Member, name: str) -> None:
        """Let someone in, who is called `name`."""
        await members.insert_member(self.connection, self.room.id, member)
        self.members[member.account_id] = member
        self.tell(EventType.JOINED, account_id=str(member.account_id), name=name)

    async def remove(self, account_id: UUID, kind: EventType, now: datetime) -> None:
        """Let a member go. Where that is the owner, the room passes to another, or is closed when there is none."""
        next_owner = heir(self.members) if self.room.owner == account_id else None
        if self.room.owner == account_id and next_owner is None:
            await self.close(now)
            return
        await members.delete_member(self.connection, self.room.id, account_id)
        await invitations.delete_invitations_by(self.connection, self.room.id, account_id)
        del self.members[account_id]
        self.tell(kind, account_id=str(account_id))
        if next_owner:
            await self.set_owner(next_owner)

    async def set_owner(self, member: Member) -> None:
        """Give the room to a member; who had it stays as a moderator, if still there."""
        former = self.members.get(self.room.owner)
        if former:
            await self.set_role(former, MemberRole.MODERATOR)
        self.room = replace(self.room, owner=member.account_id)
        await self.set_role(replace(member, muted_until=None), MemberRole.OWNER)

    async def set_role(self, member: Member, role: MemberRole) -> None:
        """Make a member what `role` says. Who may not invite any more has invited nobody."""
        await self.put(replace(member, role=role))
        if role is MemberRole.MEMBER:
            await invitations.delete_invitations_by(self.connection, self.room.id, member.account_id)
        self.tell(EventType.ROOM, account_id=str(member.account_id), role=role.value)

    async def put(self, member: Member) -> None:
        """Write what may change of a member."""
        await members.update_member(self.connection, self.room.id, member)
        self.members[member.account_id] = member

    async def close(self, now: datetime) -> None:
        """Close the room; a sweep takes away what is left of it."""
        await rooms.close_room(self.connection, self.room.id, now)
        if self.room.revoke_files:
            await files.revoke_files_of(self.connection, self.room.id, now)
        self.is_closed = True
        self.tell(EventType.CLOSED)

    def tell(self, kind: EventType, **fields: object) -> None:
        """Have everybody in the room told, after the commit. What is not told is not done."""
        self.events.append(Event(kind, fields))


@asynccontextmanager
async def changing(context: Context, room_id: int) -> AsyncGenerator[Change]:
    """A unit of work on a room. Raises `RoomNotFound`, `RoomNameTaken`, `ChatUnavailable`, `DatabaseUnavailable`."""
    async with context.db.transaction() as connection:
        change = Change(connection, await _locked(context, connection, room_id))
        before = change.room
        yield change
        if not change.events:
            return
        room = change.room = replace(change.room, version=change.room.version + 1)
        if not await rooms.update_room(connection, room, names.key(room.name)):
            raise RoomNameTaken
        await context.streams.set_version(room.id, room.version)
        if (room.lifetime_seconds, room.capacity) != (before.lifetime_seconds, before.capacity):
            # What is over stays so. Who read by the old terms until now has been told that they are old.
            await context.streams.trim(terms_of(before))
    if change.is_closed:
        context.states.forget(room_id)
    else:
        context.states.learn(change.state)
    await _announce(context, change)


async def read_under_lock(context: Context, connection: Connection, room_id: int) -> RoomState:
    """An open room that nobody changes until the transaction ends. Raises `RoomNotFound`."""
    return await _state(context, connection, await rooms.keep_room(connection, _sane(room_id)))


async def _locked(context: Context, connection: Connection, room_id: int) -> RoomState:
    return await _state(context, connection, await rooms.lock_room(connection, _sane(room_id)))


async def _state(context: Context, connection: Connection, room: Room | None) -> RoomState:
    if room is None:
        raise RoomNotFound
    known = context.states.known(room.id)
    if known and known.room.version == room.version:
        return known
    found = await members.members(connection, room.id)
    return RoomState(room, {member.account_id: member for member in found})


async def _announce(context: Context, change: Change) -> None:
    try:
        for event in change.events:
            await context.streams.announce(terms_of(change.room), event)
    except ChatUnavailable:
        # The change stands, and is kept to; those who are connected see it when they read the room anew.
        logging.get(__name__).warning("a change was not announced", room=change.room.id)


def demand(action: Action, state: RoomState, identity: Identity) -> None:
    """Raise unless the account may do this in the room: `RoomNotFound` to who may not know of it.

    `NotAMember` to who is not in it, `Forbidden` to a member.
    """
    try:
        require(action, state.actor(identity), state.room.owner)
    except NotFound:
        raise RoomNotFound from None
    except Forbidden:
        if identity.account_id not in state.members:
            raise NotAMember from None
        raise


def _sane(room_id: int) -> int:
    """What can be an id at all: the database cannot compare with more."""
    if not 0 < room_id <= ROOM_ID_MAX:
        raise RoomNotFound
    return room_id
