"""The unit of work in which a room's settings and members are changed.

It holds the lock on the room's row, gives the room a new version, and records that version in Valkey right before the
commit. From then on, nobody can write to the room or receive its events by outdated knowledge. Rooms cannot be changed
while Valkey is down.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chat_service.bounds import ID_MAX
from chat_service.context import Context
from chat_service.rooms import names
from chat_service.rooms.model import (
    Admission,
    Member,
    MemberNotFound,
    MemberRole,
    Room,
    RoomNameTaken,
    RoomNotFound,
    RoomState,
    heir,
)
from chat_service.rooms.queries import files, invitations, members, rooms
from chat_service.streams import ChatUnavailable, Event, EventType
from common import logging
from common.db import Connection
from common.lookalikes import skeleton


class Change:
    """The changes to a room whose row is locked."""

    def __init__(self, connection: Connection, state: RoomState) -> None:
        self.connection = connection
        self.room = state.room
        self.members = dict(state.members)
        self.kept_since = state.room.version if state.kept_since is None else state.kept_since
        self.events: list[Event] = []
        self.is_closed = False

    @property
    def state(self) -> RoomState:
        return RoomState(self.room, self.members, self.kept_since)

    def member(self, account_id: UUID) -> Member:
        """A member of the room. Raises `MemberNotFound`."""
        found = self.members.get(account_id)
        if found is None:
            raise MemberNotFound
        return found

    async def let_in(self, member: Member, name: str, address_digest: bytes, invitation: bytes | None) -> Admission:
        """Add a member, whose account has this name, unless it is banned or its invitation is not valid.

        `invitation`: the digest of one; None: the member needs none.
        """
        admission = await members.let_in(
            self.connection,
            self.room.id,
            member,
            address_digest,
            invitation=invitation,
            is_address_kept=self.room.bans_hold_address_seconds is not None,
        )
        if admission.is_added:
            self.members[member.account_id] = member
            self.announce(EventType.JOINED, account_id=str(member.account_id), name=name)
        return admission

    async def remove(self, account_id: UUID, kind: EventType, now: datetime) -> None:
        """Remove a member. The room of an owner passes to the next one, or is closed when no other member is left."""
        next_owner = heir(self.members) if self.room.owner == account_id else None
        if self.room.owner == account_id and next_owner is None:
            await self.close(now)
            return
        await members.delete_member(self.connection, self.room.id, account_id)
        await invitations.delete_invitations_by(self.connection, self.room.id, account_id)
        del self.members[account_id]
        self.kept_since = None
        self.announce(kind, account_id=str(account_id))
        if next_owner:
            await self.set_owner(next_owner)

    async def set_owner(self, member: Member) -> None:
        """Give the room to a member; the former owner, if still a member, becomes a moderator."""
        former = self.members.get(self.room.owner)
        if former:
            await self.set_role(former, MemberRole.MODERATOR)
        self.room = replace(self.room, owner=member.account_id)
        await self.set_role(replace(member, muted_until=None), MemberRole.OWNER)

    async def set_role(self, member: Member, role: MemberRole) -> None:
        """Change a member's role. The invitations of a member who may no longer invite are revoked."""
        await self.put(replace(member, role=role))
        if role is MemberRole.MEMBER:
            await invitations.delete_invitations_by(self.connection, self.room.id, member.account_id)
        self.announce(EventType.ROOM, account_id=str(member.account_id), role=role.value)

    async def put(self, member: Member) -> None:
        """Store a member's role and mute."""
        await members.update_member(self.connection, self.room.id, member)
        self.members[member.account_id] = member

    async def close(self, now: datetime) -> None:
        """Close the room; a sweep clears up after it."""
        await rooms.close_room(self.connection, self.room.id, now)
        if self.room.revoke_files:
            await files.revoke_files_of(self.connection, self.room.id, now)
        self.is_closed = True
        self.announce(EventType.CLOSED)

    def announce(self, kind: EventType, **fields: object) -> None:
        """Send an event to everybody in the room after the commit. A change without any event is not stored."""
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
        new_skeleton = skeleton(room.name) if room.name != before.name else None
        if not await rooms.update_room(connection, room, names.key(room.name), new_skeleton):
            raise RoomNameTaken
        await context.streams.set_version(room.id, room.version)
        if (room.lifetime_seconds, room.capacity) != (before.lifetime_seconds, before.capacity):
            # Messages that had expired by the old terms must not come back by the new ones.
            await context.streams.trim(before.terms)
    if (room.lifetime_seconds, room.capacity) != (before.lifetime_seconds, before.capacity):
        await _trim(context, change)
    if change.is_closed:
        context.states.forget(room_id)
    else:
        context.states.learn(change.state)
    await _announce(context, change)


async def read_under_lock(context: Context, connection: Connection, room_id: int) -> RoomState:
    """An open room, which cannot be changed until the transaction ends. Raises `RoomNotFound`."""
    return await _state(context, connection, await rooms.keep_room(connection, _checked_id(room_id)))


async def _locked(context: Context, connection: Connection, room_id: int) -> RoomState:
    return await _state(context, connection, await rooms.lock_room(connection, _checked_id(room_id)))


async def _state(context: Context, connection: Connection, room: Room | None) -> RoomState:
    if room is None:
        raise RoomNotFound
    known = context.states.known(room.id)
    if known and known.room.version == room.version:
        return known
    found = await members.members_of(connection, room.id)
    return RoomState(room, {member.account_id: member for member in found})


async def _trim(context: Context, change: Change) -> None:
    try:
        await context.streams.trim(change.room.terms)
    except ChatUnavailable:
        # Messages that have expired by the new terms are not returned any more, and removed with the next post.
        logging.get(__name__).warning("expired messages were not removed", room=change.room.id)


async def _announce(context: Context, change: Change) -> None:
    try:
        for event in change.events:
            await context.streams.announce(change.room.terms, event)
    except ChatUnavailable:
        # The change is committed and in force. Connected clients see it when they next read the room.
        logging.get(__name__).warning("a change was not announced", room=change.room.id)


def _checked_id(room_id: int) -> int:
    """The id, if the database can compare with it. Raises `RoomNotFound`."""
    if not 0 < room_id <= ID_MAX:
        raise RoomNotFound
    return room_id
