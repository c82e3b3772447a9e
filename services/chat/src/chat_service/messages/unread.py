"""Counting what an account has not read in all its rooms: one statement, and one round trip to Valkey."""

import asyncio
from collections.abc import Mapping

from chat_service.context import Context
from chat_service.rooms.queries import rooms
from common.identity import Identity

COUNTED = 100
"""The newest messages of a room that are looked at, so that no number is larger."""


async def count_unread(context: Context, identity: Identity, seen: Mapping[int, str | None]) -> dict[int, int]:
    """How many messages of others came after the last one `seen` in each room; None: none was seen.

    Rooms that are closed, or that the account is not a member of, are left out. Raises `ChatUnavailable`.
    """
    async with context.db.connection() as connection:
        lifetimes = await rooms.lifetimes_for_member(connection, identity.account_id, list(seen))
    counts = await asyncio.gather(
        *(
            context.streams.unread(room_id, lifetime, seen[room_id] or "", identity.account_id, COUNTED)
            for room_id, lifetime in lifetimes
        )
    )
    return {room_id: count for (room_id, _), count in zip(lifetimes, counts, strict=True)}
