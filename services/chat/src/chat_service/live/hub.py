"""Hears what happens in all rooms, and hands it to the channels of those that somebody listens to here."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from chat_service.live.channel import Channel, RoomView, reset_json
from chat_service.live.ending import Close, End, Ended
from chat_service.live.subscription import Frame, Listener, Subscription
from chat_service.streams import ChatUnavailable, Continuity, Entry, Event, EventType, Presence, Reader, Streams
from chat_service.streams.model import position
from common import logging
from common.errors import Unavailable

ReadRoom = Callable[[int, int | None], Awaitable[RoomView | None]]
"""A room at this version or a later one, or (None) as it is now. There is no such room (any more): None.

Raises `Unavailable`."""
IsValid = Callable[[str], Awaitable[bool]]
"""Whether the credential of this name still is one. Raises `Unavailable`."""

FRAME_SECONDS = 0.05
# So that handing out to very many takes a bounded share of the process's time: a thousand hear of something four times
# a second, which still is well within half a second.
FRAME_SECONDS_PER_LISTENER = 0.0002
# Between two reads, so that many events a second do not cost a round trip each.
GATHER_SECONDS = 0.005
AGAIN_SECONDS = 0.25
ROOM_SECONDS = 5
"""How long reading a room anew may take before its listeners are sent away."""
TYPING_LASTS = timedelta(seconds=5)


class Hub:
    """All that is heard in this process. `run` it as long as the process lives."""

    def __init__(self, streams: Streams, presence: Presence, reader: Reader, read_room: ReadRoom) -> None:
        self._streams, self._presence, self._reader, self._read_room = streams, presence, reader, read_room
        self._channels: dict[int, Channel] = {}
        self._wanted = asyncio.Event()
        self._follows = asyncio.Event()
        self._is_stopped = False
        self._is_whole = True
        """Whether all that was read was handed out."""
        self._ahead = 0.0
        """By how many seconds Valkey's clock is ahead of this machine's."""
        self._log = logging.get(__name__)

    async def run(self) -> None:
        """Hear and hand out, until cancelled. Whatever goes wrong, it goes on."""
        while True:
            try:
                await self._follow()
            except Unavailable:
                self._log.warning("what happens in rooms is not heard for now")
            except Exception:  # noqa: BLE001  (it is logged, with its stack)
                self._log.exception("what happened in a room was not handed out")
            await asyncio.sleep(AGAIN_SECONDS)

    async def subscribe(self, room_id: int, listener: Listener, after: str | None) -> Subscription:
        """Let someone hear what happens in a room, after the event `after`, or from now on.

        Whoever may not raises `Ended`. Raises `Unavailable`. What is subscribed must be unsubscribed.
        """
        view = await self._read_room(room_id, None)
        if self._is_stopped:
            raise Ended(Close.GOING_AWAY)
        if view is None:
            raise Ended(Close.NOT_FOUND)
        channel = self._channels.setdefault(room_id, Channel(view, self._interval))
        channel.adopt(view)
        if not channel.view.may_hear(listener.identity):
            raise Ended(Close.FORBIDDEN)
        subscription = channel.add(listener)
        try:
            await self._begin(subscription, after)
        except BaseException:
            await self.unsubscribe(subscription)
            raise
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """Hear nothing more."""
        channel, account_id = subscription.channel, subscription.listener.identity.account_id
        channel.subscriptions.discard(subscription)
        room_id = channel.view.terms.id
        if not channel.subscriptions and self._channels.get(room_id) is channel:
            channel.close()
            del self._channels[room_id]
        if not channel.counts(account_id):
            with suppress(ChatUnavailable):
                await self._presence.leave(room_id, account_id)

    async def typing(self, subscription: Subscription) -> None:
        """Tell the room that somebody is typing, if they may write there."""
        identity, view = subscription.listener.identity, subscription.channel.view
        if view.may_write(identity):
            event = Event(EventType.TYPING, {"account_id": str(identity.account_id), "name": identity.name})
            await self._streams.whisper(view.terms, event, TYPING_LASTS)

    def stop(self) -> None:
        """End all connections: the process is about to end."""
        self._is_stopped = True
        for channel in self._channels.values():
            for each in channel.subscriptions:
                each.end(End(Close.GOING_AWAY))

    async def check_rooms(self) -> None:
        """Look whether rooms changed without anybody having said so, and forget what everybody has had."""
        for channel in list(self._channels.values()):
            room_id = channel.view.terms.id
            pulse = await self._streams.pulse(room_id)
            self._ahead = pulse.now.timestamp() - time.time()
            if pulse.version is None:
                # Forgotten, for its age or by an accident; reading the room says its version again.
                if await self._refresh(channel, None) and channel.last_id is not None:
                    channel.publish_reset(pulse.last_event)
            elif pulse.version > channel.view.version:
                await self._refresh(channel, pulse.version)
            channel.tidy()

    async def renew_presence(self) -> None:
        """Say again who is connected here."""
        for channel in list(self._channels.values()):
            identities = [each.listener.identity for each in channel.subscriptions]
            connected = {identity.account_id: identity.name for identity in identities}
            await self._presence.renew(channel.view.terms.id, connected.items())

    async def check_credentials(self, is_valid: IsValid) -> None:
        """End the connections of those who were signed out."""
        subscriptions = [each for channel in self._channels.values() for each in channel.subscriptions]
        known: dict[str, bool] = {}
        for each in subscriptions:
            name = each.listener.credential
            if name not in known:
                known[name] = await is_valid(name)
            if not known[name]:
                each.end(End(Close.UNAUTHENTICATED))

    async def _begin(self, subscription: Subscription, after: str | None) -> None:
        channel, identity = subscription.channel, subscription.listener.identity
        room_id = channel.view.terms.id
        # Only what happens from here on is sure to come through the channel; what was before is asked for after that.
        self._wanted.set()
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                await self._follows.wait()
        except TimeoutError:
            raise ChatUnavailable from None
        if channel.counts(identity.account_id) == 1:
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
        subscription.begin([Frame(f"[{b','.join(events).decode()}]", last_event)])

    async def _follow(self) -> None:
        await self._wanted.wait()
        if not self._follows.is_set():
            await self._reader.open()
            self._follows.set()
        while self._wanted.is_set():
            batch = await self._reader.read()
            # What was taken and not handed out is looked up again.
            is_whole, self._is_whole = self._is_whole and batch.continuity is Continuity.WHOLE, False
            await self._hand_out(batch.entries, is_whole=is_whole)
            self._is_whole = True
            if not self._channels:
                self._wanted.clear()
                self._follows.clear()
            elif batch.entries:
                await asyncio.sleep(GATHER_SECONDS)

    def _interval(self) -> float:
        return FRAME_SECONDS + FRAME_SECONDS_PER_LISTENER * sum(
            len(channel.subscriptions) for channel in self._channels.values()
        )

    async def _hand_out(self, entries: list[Entry], *, is_whole: bool) -> None:
        if not is_whole:
            await asyncio.gather(*map(self._catch_up, list(self._channels.values())))
        by_channel: dict[Channel, list[Entry]] = {}
        for entry in entries:
            if (channel := self._channels.get(entry.room_id)) is not None:
                by_channel.setdefault(channel, []).append(entry)
        # Those of which no change is known first: they need not wait for the others to be read anew.
        newest = {channel: max(entry.version for entry in found) for channel, found in by_channel.items()}
        changed = {channel: version for channel, version in newest.items() if version > channel.view.version}
        for channel in by_channel.keys() - changed.keys():
            await self._publish(channel, by_channel[channel])
        await asyncio.gather(
            *(self._refresh(channel, version, by_channel[channel]) for channel, version in changed.items())
        )
        for channel in changed:
            await self._publish(channel, by_channel[channel])

    async def _publish(self, channel: Channel, entries: list[Entry]) -> None:
        now = int((time.time() + self._ahead) * 1000)
        for begin in range(0, len(entries), 64):
            channel.publish(entries[begin : begin + 64], now)
            # Those who read well take what there is before more comes.
            await asyncio.sleep(0)

    async def _refresh(self, channel: Channel, version: int | None, entries: Sequence[Entry] = ()) -> bool:
        """Read the room anew, and cut off whom it is no room of any more; whether it still is one."""
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                view = await self._read_room(channel.view.terms.id, version)
        except (Unavailable, TimeoutError):
            # Nobody knows who may hear what comes: nobody does. They resume when it is known.
            _end_all(channel, End(Close.TRY_LATER))
            return False
        if view is None:
            closed = [entry.body.decode() for entry in entries if entry.kind == EventType.CLOSED]
            _end_all(channel, End(Close.NOT_FOUND, f"[{','.join(closed)}]" if closed else None))
            return False
        channel.adopt(view)
        return True

    async def _catch_up(self, channel: Channel) -> None:
        """Hand out what did not come through the reader."""
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
