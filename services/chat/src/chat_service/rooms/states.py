"""What this process knows of rooms, and when it may rely on it.

A state is good while its version is the one that Valkey says. Whoever changes a room tells Valkey the new version
before the commit, so a state that was read before a change is never taken for good after the change was answered.
Reading waits for a change that is under way (both lock the room's row), so what is read is what Valkey was told; where
it is not, that change was never committed, and Valkey is told the truth.
"""

import asyncio
from collections import OrderedDict
from datetime import timedelta

from chat_service.rooms.model import ROOM_ID_MAX, Room, RoomNotFound, RoomState
from chat_service.rooms.queries import members, rooms
from chat_service.streams import Pulse, RoomTerms, Streams
from common.db import Database
from common.errors import Unavailable

ROOMS_REMEMBERED = 20_000
MEMBERS_REMEMBERED = 500_000
# A room that changes faster than it can be read so often in a row.
TRIES = 10


class RoomBusy(Unavailable):
    """The room changes faster than it can be read."""


class RoomStates:
    """The states of the rooms that this process has to do with."""

    def __init__(self, database: Database, streams: Streams) -> None:
        self._db, self._streams = database, streams
        self._known: OrderedDict[int, RoomState] = OrderedDict()
        self._members = 0
        self._reading: dict[int, asyncio.Task[RoomState]] = {}

    def known(self, room_id: int) -> RoomState | None:
        """What was true of an open room when it was read last; it may be so no more."""
        state = self._known.get(room_id)
        if state:
            self._known.move_to_end(room_id)
        return state

    async def checked(self, room_id: int) -> tuple[RoomState, Pulse]:
        """An open room as it is, with what Valkey said of it. Raises `RoomNotFound`, `ChatUnavailable`."""
        state = self.known(room_id) or await self.renewed(room_id, None)
        for _ in range(TRIES):
            pulse = await self._streams.pulse(room_id)
            if pulse.version == state.room.version:
                return state, pulse
            state = await self.renewed(room_id, state.room.version)
        raise RoomBusy

    async def fresh(self, room_id: int) -> RoomState:
        """An open room as it is. Raises `RoomNotFound`, `ChatUnavailable`."""
        return (await self.checked(room_id))[0]

    async def at_least(self, room_id: int, version: int) -> RoomState:
        """An open room as it was at `version` or later: asks nobody where that is known. Raises as `fresh` does."""
        state = self.known(room_id)
        if state and state.room.version >= version:
            return state
        return await self.renewed(room_id, state.room.version if state else None)

    async def renewed(self, room_id: int, stale: int | None) -> RoomState:
        """An open room, read since `stale` was found to be its version no more. Raises as `fresh` does."""
        if not 0 < room_id <= ROOM_ID_MAX:
            raise RoomNotFound
        known = self._known.get(room_id)
        if known and known.room.version != stale:
            return known
        reading = self._reading.get(room_id)
        if reading:
            state = await asyncio.shield(reading)
            if state.room.version != stale:
                return state
            # It began before this call, so it may have read what is stale; one that began since will do.
            reading = self._reading.get(room_id)
        if reading is None:
            reading = self._reading[room_id] = asyncio.create_task(self._read(room_id))
            reading.add_done_callback(lambda task: self._done(room_id, task))
        return await asyncio.shield(reading)

    def learn(self, state: RoomState) -> None:
        """Remember a state that was read or made under the lock of the room's row."""
        self.forget(state.room.id)
        self._known[state.room.id] = state
        self._members += len(state.members)
        while len(self._known) > ROOMS_REMEMBERED or (self._members > MEMBERS_REMEMBERED and len(self._known) > 1):
            self._members -= len(self._known.popitem(last=False)[1].members)

    def forget(self, room_id: int) -> None:
        """Know nothing of a room any more."""
        state = self._known.pop(room_id, None)
        if state:
            self._members -= len(state.members)

    async def _read(self, room_id: int) -> RoomState:
        async with self._db.transaction() as connection:
            room = await rooms.keep_room(connection, room_id)
            if room is None:
                self.forget(room_id)
                raise RoomNotFound
            found = await members.members(connection, room_id)
            await self._streams.restore_version(room_id, room.version)
        state = RoomState(room, {member.account_id: member for member in found})
        self.learn(state)
        return state

    def _done(self, room_id: int, task: asyncio.Task[RoomState]) -> None:
        if self._reading.get(room_id) is task:
            del self._reading[room_id]
        # Whoever waits hears of an error; when nobody does any more, nobody has to.
        if not task.cancelled():
            task.exception()


def terms_of(room: Room) -> RoomTerms:
    """What Valkey is told of a room."""
    return RoomTerms(room.id, room.version, timedelta(seconds=room.lifetime_seconds), room.capacity)
