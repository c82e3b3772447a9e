"""Reads the events of all rooms, and passes them to the channels of rooms that somebody listens to here."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from chat_service.live.backlog import Frame
from chat_service.live.channel import Channel, RoomView, reset_json
from chat_service.live.counting import ConnectionLimits, Connections, RoomSizes
from chat_service.live.ending import Close, End, Ended
from chat_service.live.presence import Presence
from chat_service.live.reader import Continuity, Entry, Reader
from chat_service.live.subscription import Listener, Subscription
from chat_service.streams import ChatUnavailable, Event, EventType, Streams
from chat_service.streams.model import position
from common import logging
from common.errors import Unavailable
from common.identity import Identity
from common.metrics import Gauge, Histogram

ReadRoom = Callable[[int, int | None], Awaitable[RoomView | None]]
"""Reads a room at this version or a later one, or (None) as it is now. Returns None when there is no such room.

Raises `Unavailable`."""
Identify = Callable[[str], Awaitable[Identity | None]]
"""The account of the credential with this name; None: it is not valid any more. Raises `Unavailable`."""

FRAME_SECONDS = 0.05
# With many listeners frames are rarer, so that sending them takes a bounded share of the process's time: a thousand
# listeners of a room receive eight frames a second. Rooms share that time (`RoomSizes`).
FRAME_SECONDS_PER_LISTENER = 0.00008
# The pause between two reads, so that many events a second do not cost a round trip each.
GATHER_SECONDS = 0.005
AGAIN_SECONDS = 0.25
ROOM_SECONDS = 5
"""The time that reading a room again may take before its listeners are disconnected."""
RETURN_SECONDS = 8
"""The time in which a client whose stream has lived its time comes back, without others being told that it has gone."""
TYPING_LASTS = timedelta(seconds=5)
LISTENERS = Gauge("waystation_room_listeners", "Open sockets and event streams of rooms.")
DELIVERY = Histogram("waystation_room_delivery_seconds", "Times from an event to the queues of its listeners.")


class Hub:
    """The listeners of this process. Its `run` has to run as long as the process lives."""

    def __init__(
        self,
        streams: Streams,
        presence: Presence,
        reader: Reader,
        read_room: ReadRoom,
        identify: Identify,
        limits: ConnectionLimits,
    ) -> None:
        self._streams, self._presence, self._reader = streams, presence, reader
        self._read_room, self._identify = read_room, identify
        self._channels: dict[int, Channel] = {}
        self._connected: dict[str, set[Subscription]] = {}
        """The subscriptions by their credentials."""
        self._connections, self._sizes = Connections(limits), RoomSizes()
        self._leaving: set[asyncio.Task[None]] = set()
        self._wanted = asyncio.Event()
        self._follows = asyncio.Event()
        self._is_stopped = False
        self._is_whole = True
        """Whether everything that was read was passed on."""
        self._ahead = 0.0
        """The seconds by which Valkey's clock is ahead of this machine's."""
        self._log = logging.get(__name__)

    async def run(self) -> None:
        """Read events and pass them on until cancelled. It goes on after any failure."""
        while True:
            try:
                await self._follow()
            except Unavailable:
                self._log.warning("the events of rooms cannot be read for now")
            except Exception:  # noqa: BLE001  (it is logged, with its stack)
                self._log.exception("an event of a room was not passed on")
            await asyncio.sleep(AGAIN_SECONDS)

    async def subscribe(self, room_id: int, listener: Listener, after: str | None) -> Subscription:
        """Subscribe a listener to the events of a room after the event `after`, or from now on.

        Raises `Ended` when the listener may not, `TooManyConnections`, and `Unavailable`. Every subscription must be
        unsubscribed.
        """
        view = await self._read_room(room_id, None)
        if self._is_stopped:
            raise Ended(Close.GOING_AWAY)
        if view is None:
            raise Ended(Close.NOT_FOUND)
        if not view.may_hear(listener.identity):
            raise Ended(Close.FORBIDDEN)
        channel = self._channels.get(room_id) or Channel(view, self._interval)
        channel.adopt(view)
        if not channel.view.may_hear(listener.identity):
            raise Ended(Close.FORBIDDEN)
        self._connections.add(listener)
        subscription = self._connect(channel, listener)
        LISTENERS.add()
        try:
            # From here on, the end of the credential is heard; it may have ended a moment before.
            if await self._identify(listener.credential) is None:
                raise Ended(Close.UNAUTHENTICATED)
            await self._begin(subscription, after)
        except BaseException:
            await self.unsubscribe(subscription)
            raise
        return subscription

    async def unsubscribe(self, subscription: Subscription, *, may_return: bool = False) -> None:
        """End a subscription. If the listener `may_return`, others are told that it has gone only if it does not."""
        room_id, account_id = subscription.room_id, subscription.listener.identity.account_id
        channel = self._channels.get(room_id)
        if channel is None or subscription not in channel.subscriptions:
            return
        self._disconnect(channel, subscription)
        LISTENERS.add(by=-1)
        if not channel.subscriptions:
            channel.close()
            del self._channels[room_id]
        if channel.count(account_id):
            return
        if may_return:
            asyncio.get_running_loop().call_later(RETURN_SECONDS, self._leave_later, room_id, account_id)
        else:
            await self._leave(room_id, account_id)

    async def typing(self, subscription: Subscription) -> None:
        """Tell the room that the listener is typing, if it may write there."""
        identity, view = subscription.listener.identity, self._channels[subscription.room_id].view
        if view.may_write(identity):
            event = Event(EventType.TYPING, {"account_id": str(identity.account_id), "name": identity.name})
            await self._streams.whisper(view.terms, event, TYPING_LASTS)

    def stop(self) -> None:
        """End all connections, because the process is about to end."""
        self._is_stopped = True
        for channel in self._channels.values():
            for each in channel.subscriptions:
                each.end(End(Close.GOING_AWAY))

    async def check_rooms(self) -> None:
        """Look for changes of rooms that were not announced, and forget events that all listeners have received."""
        for channel in list(self._channels.values()):
            room_id = channel.view.terms.id
            pulse = await self._streams.pulse(room_id)
            self._ahead = pulse.now.timestamp() - time.time()
            if pulse.version is None:
                # Valkey has forgotten the room, which expired or was lost. Reading the room records its version again.
                if await self._refresh(channel, None) and channel.last_id is not None:
                    channel.publish_reset(pulse.last_event)
            elif pulse.version > channel.view.version:
                await self._refresh(channel, pulse.version)
            channel.tidy()

    async def renew_presence(self) -> None:
        """Report again which accounts are connected here."""
        for channel in list(self._channels.values()):
            identities = [each.listener.identity for each in channel.subscriptions]
            connected = {identity.account_id: identity.name for identity in identities}
            await self._presence.renew(channel.view.terms.id, connected.items())

    async def check_credentials(self) -> None:
        """End the connections whose credentials are not valid any more, and go by the new names of accounts."""
        for name in list(self._connected):
            await self.check_credential(name)

    async def check_credential(self, name: str) -> None:
        """End the connections of a credential if it is not valid any more, or go by its account's new name."""
        if name not in self._connected:
            return
        identity = await self._identify(name)
        renamed: set[int] = set()
        for each in self._connected.get(name, ()):
            if identity is None:
                each.end(End(Close.UNAUTHENTICATED))
                continue
            if identity.name != each.listener.identity.name:
                renamed.add(each.room_id)
            each.listener = replace(each.listener, identity=identity)
        if identity is not None:
            for room_id in renamed:
                await self._presence.renew(room_id, [(identity.account_id, identity.name)])

    async def _leave(self, room_id: int, account_id: UUID) -> None:
        with suppress(ChatUnavailable):
            await self._presence.leave(room_id, account_id)

    def _leave_later(self, room_id: int, account_id: UUID) -> None:
        channel = self._channels.get(room_id)
        if not self._is_stopped and not (channel and channel.count(account_id)):
            task = asyncio.create_task(self._leave(room_id, account_id))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    def _connect(self, channel: Channel, listener: Listener) -> Subscription:
        subscription = channel.add(listener)
        self._channels[subscription.room_id] = channel
        self._connected.setdefault(listener.credential, set()).add(subscription)
        self._sizes.change(len(channel.subscriptions) - 1, len(channel.subscriptions))
        return subscription

    def _disconnect(self, channel: Channel, subscription: Subscription) -> None:
        channel.remove(subscription)
        self._sizes.change(len(channel.subscriptions) + 1, len(channel.subscriptions))
        self._connections.remove(subscription.listener)
        name = subscription.listener.credential
        others = self._connected[name]
        others.discard(subscription)
        if not others:
            del self._connected[name]

    async def _begin(self, subscription: Subscription, after: str | None) -> None:
        room_id, identity = subscription.room_id, subscription.listener.identity
        channel = self._channels[room_id]
        # Events are sure to come through the channel only from here on, so earlier ones are looked up after this.
        self._wanted.set()
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                await self._follows.wait()
        except TimeoutError:
            raise ChatUnavailable from None
        if channel.count(identity.account_id) == 1:
            await self._presence.enter(room_id, identity.account_id, identity.name)
        events: list[bytes] = []
        if after is None:
            version, last_event = await self._streams.version(room_id)
        else:
            missed = await self._streams.since(channel.view.terms, after)
            version, last_event = missed.version, missed.last_event
            events = [event.json for event in missed.events] if missed.is_whole else [reset_json(last_event)]
        if channel.roster is None:
            channel.set_roster(await self._presence.roster(room_id))
        if version is not None and version > channel.view.version:
            await self._refresh(channel, version)
        events.append(channel.roster_json(last_event))
        channel.begin_after(last_event)
        subscription.floor = position(last_event) if last_event else None
        subscription.begin([Frame(b"[%b]" % b",".join(events), last_event)])

    async def _follow(self) -> None:
        await self._wanted.wait()
        if not self._follows.is_set():
            await self._reader.open()
            self._follows.set()
        while self._wanted.is_set():
            batch = await self._reader.read()
            # If passing the batch on fails, the channels look its events up in the logs.
            is_whole, self._is_whole = self._is_whole and batch.continuity is Continuity.WHOLE, False
            await self._distribute(batch.entries, is_whole=is_whole)
            self._is_whole = True
            if not self._channels:
                self._wanted.clear()
                self._follows.clear()
            elif batch.entries:
                await asyncio.sleep(GATHER_SECONDS)

    def _interval(self, listeners: int) -> float:
        return FRAME_SECONDS + FRAME_SECONDS_PER_LISTENER * self._sizes.weight(listeners)

    async def _distribute(self, entries: list[Entry], *, is_whole: bool) -> None:
        if not is_whole:
            await asyncio.gather(*map(self._catch_up, list(self._channels.values())))
        by_channel: dict[Channel, list[Entry]] = {}
        for entry in entries:
            if (channel := self._channels.get(entry.room_id)) is not None:
                by_channel.setdefault(channel, []).append(entry)
        # Rooms that have not changed come first: they need not wait until the others are read again. Among them, those
        # with few events come first: a flood in one room delays no other.
        newest = {channel: max(entry.version for entry in found) for channel, found in by_channel.items()}
        changed = {channel: version for channel, version in newest.items() if version > channel.view.version}
        for channel in sorted(by_channel.keys() - changed.keys(), key=lambda each: len(by_channel[each])):
            await self._publish(channel, by_channel[channel])
        await asyncio.gather(
            *(self._refresh(channel, version, by_channel[channel]) for channel, version in changed.items())
        )
        for channel in changed:
            await self._publish(channel, by_channel[channel])

    async def _publish(self, channel: Channel, entries: list[Entry]) -> None:
        now = int((time.time() + self._ahead) * 1000)
        for entry in entries:
            DELIVERY.observe(max(0.0, (now - position(entry.id)[0]) / 1000))
        for begin in range(0, len(entries), 64):
            channel.publish(entries[begin : begin + 64], now)
            # Listeners that read well take these before more are published.
            await asyncio.sleep(0)

    async def _refresh(self, channel: Channel, version: int | None, entries: Sequence[Entry] = ()) -> bool:
        """Read the room again, and disconnect listeners that are no longer members; False: all were disconnected."""
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                view = await self._read_room(channel.view.terms.id, version)
        except (Unavailable, TimeoutError):
            # It is unknown who may receive the next events, so nobody does. Clients resume later.
            _end_all(channel, End(Close.TRY_LATER))
            return False
        if view is None:
            closed = [entry.body for entry in entries if entry.kind == EventType.CLOSED]
            _end_all(channel, End(Close.NOT_FOUND, b"[%b]" % b",".join(closed) if closed else None))
            return False
        channel.adopt(view)
        return True

    async def _catch_up(self, channel: Channel) -> None:
        """Publish the events that did not come through the reader."""
        if not await self._refresh(channel, None):
            return
        after = channel.last_id or channel.baseline
        missed = await self._streams.since(channel.view.terms, after) if after else None
        if missed is not None and missed.is_whole:
            channel.publish_missed(missed.events)
        else:
            _, last_event = await self._streams.version(channel.view.terms.id)
            channel.publish_reset(last_event)


def _end_all(channel: Channel, end: End) -> None:
    for each in channel.subscriptions:
        each.end(end)
