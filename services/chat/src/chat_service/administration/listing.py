"""Listing all open rooms, and seeing one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chat_service.administration import queries
from chat_service.administration.model import Administered, After, Filter, Order
from chat_service.context import Context
from chat_service.rooms.model import Room, RoomNotFound
from common.audit import Author
from common.db import Connection


@dataclass(frozen=True, slots=True)
class Page:
    """Some rooms of a list, and the number of rooms in all of it; None: it was not counted."""

    rooms: list[Administered]
    total: int | None


async def page_of_rooms(
    context: Context, author: Author, wanted: Filter, order: Order, after: After | None, limit: int
) -> Page:
    """Up to `limit` rooms after a place; without one, with the number of all. Raises `Forbidden`, `ChatUnavailable`."""
    author.require_administrator()
    find = queries.search_rooms if wanted.keyword else queries.list_rooms
    async with context.db.connection() as connection:
        found = await find(connection, wanted, order, after, limit)
        members = await queries.count_members(connection, [room.id for room in found])
        total = None if after else await queries.count_rooms(connection, wanted)
    return Page(await _with_messages(context, found, members), total)


async def see_room(context: Context, author: Author, room_id: int) -> Administered:
    """An open room. Raises `Forbidden`, `RoomNotFound`, `ChatUnavailable`."""
    author.require_administrator()
    async with context.db.connection() as connection:
        room, members = await _found(connection, room_id)
    return (await _with_messages(context, [room], members))[0]


async def _found(connection: Connection, room_id: int) -> tuple[Room, dict[int, int]]:
    room = await queries.open_room(connection, room_id)
    if room is None:
        raise RoomNotFound
    return room, await queries.count_members(connection, [room_id])


async def _with_messages(context: Context, found: Sequence[Room], members: dict[int, int]) -> list[Administered]:
    tallies = await asyncio.gather(*(context.streams.tally(room.id) for room in found))
    return [
        Administered(room, members.get(room.id, 0), tally.messages, tally.last_at)
        for room, tally in zip(found, tallies, strict=True)
    ]
