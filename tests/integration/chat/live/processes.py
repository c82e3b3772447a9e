"""Processes that listen to rooms side by side on one Valkey, without database and HTTP."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from chat_service.live import ConnectionLimits, Listener, Live, RoomView, Subscription
from chat_service.streams import Draft, Event, EventType, Message, RoomTerms, Streams
from common.errors import Unavailable
from common.identity import Identity, Role

WAIT_SECONDS = 20


@dataclass(frozen=True)
class View:
    """A room with its members as the hub sees it (a `RoomView`)."""

    terms: RoomTerms
    members: frozenset[UUID]
    muted: frozenset[UUID] = frozenset()

    @property
    def version(self) -> int:
        return self.terms.version

    def keeps(self, before: RoomView) -> bool:
        return isinstance(before, View) and before.members <= self.members

    def may_hear(self, identity: Identity) -> bool:
        return identity.account_id in self.members

    def may_write(self, identity: Identity) -> bool:
        return identity.account_id in self.members - self.muted


@dataclass
class Rooms:
    """The rooms, in the place of the database."""

    streams: Streams
    views: dict[int, View] = field(default_factory=dict[int, View])
    is_down: bool = False
    reads: int = 0

    async def read(self, room_id: int, version: int | None) -> View | None:
        self.reads += 1
        if self.is_down:
            raise Unavailable
        view = self.views.get(room_id)
        if view is not None and version is None:
            await self.streams.set_version(room_id, view.version)
        return view

    async def make(
        self, *members: Identity, lifetime: timedelta = timedelta(minutes=30), capacity: int = 100
    ) -> RoomTerms:
        room = RoomTerms(secrets.randbits(48), version=1, lifetime=lifetime, capacity=capacity)
        self.views[room.id] = View(room, frozenset(member.account_id for member in members))
        await self.streams.set_version(room.id, 1)
        return room

    async def change(self, room_id: int, event: Event | None = None, **changes: Any) -> RoomTerms:
        """Change a room as the service does: first in Valkey, then in the database, then announce it."""
        view = self.views[room_id]
        terms = replace(view.terms, version=view.version + 1)
        await self.streams.set_version(room_id, terms.version)
        self.views[room_id] = replace(view, terms=terms, **changes)
        if event:
            await self.streams.announce(terms, event)
        return terms

    async def remove(self, room_id: int, member: Identity, *, is_told: bool = True) -> RoomTerms:
        event = Event(EventType.REMOVED, {"account_id": str(member.account_id)}) if is_told else None
        return await self.change(room_id, event, members=self.views[room_id].members - {member.account_id})

    async def post(self, room_id: int, text: str) -> Message:
        return await self.streams.post(self.views[room_id].terms, Draft(uuid4(), "Poster", text))


def live_entry(room: RoomTerms, text: str, number: int) -> dict[Any, Any]:
    """The fields of a message in `rooms:live`."""
    body = Draft(uuid4(), "Poster", text).body()
    return {"r": room.id, "s": room.version, "k": "message", "b": body, "x": "", "n": number}


def person(name: str = "Ada") -> Identity:
    return Identity(uuid4(), name, Role.USER, uuid4(), None)


class Ear:
    """A listener that keeps the events that it receives."""

    def __init__(self, live: Live, subscription: Subscription) -> None:
        self.live, self.subscription = live, subscription
        self.heard: list[dict[str, Any]] = []
        self.frames = 0

    async def next(self, *types: str) -> dict[str, Any]:
        """The next event of these types. Others are kept in `heard` too."""
        while True:
            begin = len(self.heard)
            async with asyncio.timeout(WAIT_SECONDS):
                frame = await self.subscription.frame()
            self.frames += 1
            self.heard += json.loads(frame.json)
            for event in self.heard[begin:]:
                if not types or event["type"] in types:
                    return event

    async def until(self, text: str) -> list[str]:
        """Wait for this message; the texts of all messages received so far."""
        while text not in self.texts:
            await self.next()
        return self.texts

    @property
    def texts(self) -> list[str]:
        return [event["text"] for event in self.heard if event["type"] == "message"]

    @property
    def last_id(self) -> str:
        return [event["id"] for event in self.heard if event.get("id")][-1]

    async def end(self) -> int:
        async with asyncio.timeout(WAIT_SECONDS):
            return (await asyncio.shield(self.subscription.ended)).code


@dataclass
class Process:
    """One process with its own connections."""

    live: Live
    streams: Streams
    people: dict[str, Identity]
    """The accounts of the credentials that are valid."""
    ears: list[Ear] = field(default_factory=list[Ear])

    async def listen(self, room: RoomTerms, who: Identity, after: str | None = None, address: str = "") -> Ear:
        """Listen; the roster, which comes first, has been received."""
        listener = Listener(who, f"session:{who.credential_id.hex}", address)
        self.people[listener.credential] = who
        ear = Ear(self.live, await self.live.hub.subscribe(room.id, listener, after))
        self.ears.append(ear)
        await ear.next("presence")
        return ear

    async def hang_up(self, ear: Ear) -> None:
        self.ears.remove(ear)
        await self.live.hub.unsubscribe(ear.subscription)


@asynccontextmanager
async def process(valkey_url: str, rooms: Rooms, limits: ConnectionLimits | None = None) -> AsyncGenerator[Process]:
    """A process that listens."""
    streams = Streams(valkey_url)
    people: dict[str, Identity] = {}

    async def identify(credential: str) -> Identity | None:
        return people.get(credential)

    live = Live(valkey_url, streams, rooms.read, identify, limits)
    async with live.running():
        made = Process(live, streams, people)
        yield made
        for ear in list(made.ears):
            await made.hang_up(ear)
    await streams.close()
