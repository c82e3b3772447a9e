"""The rooms that this process remembers, and when it may rely on them.

A remembered state is valid while Valkey says the same version. A change of a room records its new version in Valkey
before it is committed, so nobody takes an older state for valid after the change was answered. Reading a room waits
for a change in progress, because both lock the room's row; so the version that was read is either the one in Valkey,
or Valkey has the version of a change that was never committed, and is corrected.
"""

import asyncio
from collections import OrderedDict

from chat_service.bounds import ID_MAX
from chat_service.rooms.model import RoomNotFound, RoomState
from chat_service.rooms.queries import members, rooms
from chat_service.streams import Pulse, Streams
from common.db import Database
from common.errors import Unavailable

ROOMS_REMEMBERED = 20_000
MEMBERS_REMEMBERED = 500_000
TRIES = 10
"""How often in a row a room is read again because it has changed meanwhile."""


class RoomBusy(Unavailable):
    """The room is changing too fast; try again."""


class RoomStates:
    """The remembered states of rooms. Methods that read one raise `RoomNotFound`, `ChatUnavailable`, `RoomBusy`."""

    def __init__(self, database: Database, streams: Streams) -> None:
        self._db, self._streams = database, streams
        self._known: OrderedDict[int, RoomState] = OrderedDict()
        self._members = 0
        self._reading: dict[int, asyncio.Task[RoomState]] = {}

    def known(self, room_id: int) -> RoomState | None:
        """An open room as it was when it was last read. It may have changed since."""
        state = self._known.get(room_id)
        if state:
            self._known.move_to_end(room_id)
        return state

    async def checked(self, room_id: int) -> tuple[RoomState, Pulse]:
        """An open room as it is, with the pulse from Valkey that confirmed it."""
        state = self.known(room_id) or await self.renewed(room_id, None)
        for _ in range(TRIES):
            pulse = await self._streams.pulse(room_id)
            if pulse.version == state.room.version:
                return state, pulse
            state = await self.renewed(room_id, state.room.version)
        raise RoomBusy

    async def fresh(self, room_id: int) -> RoomState:
        """An open room as it is."""
        return (await self.checked(room_id))[0]

    async def at_least(self, room_id: int, version: int) -> RoomState:
        """An open room as it was at `version` or later; costs nothing if that is remembered."""
        state = self.known(room_id)
        if state and state.room.version >= version:
            return state
        return await self.renewed(room_id, state.room.version if state else None)

    async def renewed(self, room_id: int, stale: int | None) -> RoomState:
        """An open room, read after the version `stale` was found to be outdated."""
        if not 0 < room_id <= ID_MAX:
            raise RoomNotFound
        known = self._known.get(room_id)
        if known and known.room.version != stale:
            return known
        reading = self._reading.get(room_id)
        if reading:
            state = await asyncio.shield(reading)
            if state.room.version != stale:
                return state
            # It had begun before this call, so it may have read the stale version. A read that began since is fine.
            reading = self._reading.get(room_id)
        if reading is None:
            reading = self._reading[room_id] = asyncio.create_task(self._read(room_id))
            reading.add_done_callback(lambda task: self._done(room_id, task))
        return await asyncio.shield(reading)

    def learn(self, state: RoomState) -> None:
        """Remember a state that was read or made under the lock on the room's row."""
        self.forget(state.room.id)
        self._known[state.room.id] = state
        self._members += len(state.members)
        while len(self._known) > ROOMS_REMEMBERED or (self._members > MEMBERS_REMEMBERED and len(self._known) > 1):
            self._members -= len(self._known.popitem(last=False)[1].members)

    def forget(self, room_id: int) -> None:
        """Forget a room."""
        state = self._known.pop(room_id, None)
        if state:
            self._members -= len(state.members)

    async def _read(self, room_id: int) -> RoomState:
        async with self._db.transaction() as connection:
            room = await rooms.keep_room(connection, room_id)
            if room is None:
                self.forget(room_id)
                raise RoomNotFound
            found = await members.members_of(connection, room_id)
            await self._streams.restore_version(room_id, room.version)
        state = RoomState(room, {member.account_id: member for member in found})
        self.learn(state)
        return state

    def _done(self, room_id: int, task: asyncio.Task[RoomState]) -> None:
        if self._reading.get(room_id) is task:
            del self._reading[room_id]
        # Callers that still wait receive the error themselves; without any, it must not be logged as never retrieved.
        if not task.cancelled():
            task.exception()
