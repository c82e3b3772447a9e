"""The events of one room, for all who listen to it in this process."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from chat_service.live.ending import Close, End
from chat_service.live.subscription import Frame, Listener, Subscription
from chat_service.streams import Entry, EventType, LiveEvent, RoomTerms
from chat_service.streams.model import encode, position, with_id
from common.identity import Identity

QUEUE = 256
"""How many events a listener may be behind."""
# Handed out at once although it is early, lest those who read well fall behind within one round.
ROUND = QUEUE // 2
FRAME_BYTES = 512 * 1024
ONLINE, OFFLINE = "online", "offline"


class RoomView(Protocol):
    """A room with its members, at some version."""

    @property
    def version(self) -> int: ...
    @property
    def terms(self) -> RoomTerms: ...
    def may_hear(self, identity: Identity) -> bool:
        """Whether the account is a member."""
        ...

    def may_write(self, identity: Identity) -> bool:
        """Whether the account is a member that is not muted."""
        ...


@dataclass(frozen=True, slots=True)
class _Item:
    """An event as it is sent. `place`: its id in order; None: it has none."""

    place: tuple[int, int] | None
    id: str | None
    json: bytes


@dataclass(eq=False, slots=True)
class Channel:
    """A room that somebody listens to. Times in seconds of the monotonic clock."""

    view: RoomView
    interval: Callable[[], float]
    """The least time between two frames to the same listener."""
    subscriptions: set[Subscription] = field(default_factory=set[Subscription])
    last_id: str | None = None
    """The last event that came through here."""
    baseline: str | None = None
    """An event before which there is nothing that a listener here has yet to hear of."""
    roster: dict[UUID, str] | None = None
    """Who is connected, by all processes; None: not known yet."""
    _items: list[_Item] = field(default_factory=list[_Item])
    _base: int = 0
    """How many events were forgotten before the first of `_items`."""
    _open: int = 0
    """Up to where events are handed out."""
    _moved: dict[UUID, str | None] = field(default_factory=dict[UUID, "str | None"])
    """Who came (a name) or went (None) since the last frame."""
    _frames: dict[int, tuple[Frame | None, int]] = field(default_factory=dict[int, "tuple[Frame | None, int]"])
    _roster_json: bytes | None = None
    _flushed_at: float = 0.0
    _timer: asyncio.TimerHandle | None = None

    def add(self, listener: Listener) -> Subscription:
        """A listener who hears what is published from now on, once it asks for frames."""
        made = Subscription(self, listener, cursor=self._end)
        self.subscriptions.add(made)
        return made

    def begin_after(self, last_event: str | None) -> None:
        """Learn that a listener has heard of everything up to this event, and of nothing after it."""
        if last_event and (self.baseline is None or position(last_event) < position(self.baseline)):
            self.baseline = last_event

    def counts(self, account_id: UUID) -> int:
        """How many connections the account has here."""
        return sum(each.listener.identity.account_id == account_id for each in self.subscriptions)

    def adopt(self, view: RoomView) -> None:
        """Go by what the room is now, and cut off those who are no members any more."""
        if view.version < self.view.version:
            return
        self.view = view
        for each in self.subscriptions:
            if not view.may_hear(each.listener.identity):
                each.end(End(Close.FORBIDDEN))

    def publish(self, entries: Iterable[Entry], now: int) -> None:
        """Tell all listeners what happened; `now` is Valkey's clock in milliseconds: what is over is not told."""
        for entry in entries:
            if entry.expires_at is not None and entry.expires_at <= now:
                continue
            if entry.kind in (ONLINE, OFFLINE):
                self._move(entry)
            elif entry.kind == EventType.TYPING:
                self._items.append(_Item(None, None, entry.body))
            else:
                self._add(entry.id, with_id(entry.id, entry.body))
        self._schedule()

    def publish_missed(self, events: Iterable[LiveEvent]) -> None:
        """Tell all listeners what happened while nobody here heard it."""
        for event in events:
            if event.id is not None:
                self._add(event.id, event.json)
        self._schedule()

    def publish_reset(self, last_event: str | None) -> None:
        """Tell all listeners that more was missed than is known."""
        self._items.append(_Item(None, last_event, reset_json(last_event)))
        self.last_id, self.baseline = None, last_event
        for each in self.subscriptions:
            each.floor = None
        self._schedule()

    def next_frame(self, subscription: Subscription) -> Frame | None:
        """What is to be sent to a listener next; None: nothing yet."""
        while subscription.cursor < self._open:
            begin = max(subscription.cursor, self._base)
            if subscription.floor is None:
                found = self._frames.get(begin)
                if found is None:
                    found = self._frames[begin] = self._join(begin, None)
            else:
                found = self._join(begin, subscription.floor)
                if self._passes(begin, found[1], subscription.floor):
                    subscription.floor = None
            subscription.cursor = found[1]
            if found[0] is not None:
                return found[0]
        return None

    def roster_json(self, last_event: str | None) -> bytes:
        """The event that tells who is connected, for one who has just come; `last_event`: what it can resume after."""
        if self._roster_json is None:
            self._roster_json = encode(
                [{"account_id": str(account_id), "name": name} for account_id, name in (self.roster or {}).items()]
            )
        return b'{"type":"presence","complete":true,"last_event":%b,"online":%b,"offline":[]}' % (
            encode(last_event),
            self._roster_json,
        )

    def set_roster(self, roster: dict[UUID, str]) -> None:
        """Learn who is connected. What was heard since it was read holds good."""
        self.roster = roster
        for account_id, name in self._moved.items():
            self._place(account_id, name)
        self._moved, self._roster_json = {}, None

    def tidy(self) -> None:
        """Forget the events that all listeners have had."""
        least = min((each.cursor for each in self.subscriptions), default=self._end)
        self._forget(min(least, self._open))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def _end(self) -> int:
        return self._base + len(self._items)

    def _add(self, event_id: str, json: bytes) -> None:
        place = position(event_id)
        # What came through the log already, after a gap.
        if self.last_id is not None and place <= position(self.last_id):
            return
        self.last_id = event_id
        self._items.append(_Item(place, event_id, json))

    def _move(self, entry: Entry) -> None:
        account, _, name = entry.body.decode().partition(" ")
        account_id, new = UUID(account), name if entry.kind == ONLINE else None
        self._moved[account_id] = new
        if self.roster is not None:
            self._place(account_id, new)
            self._roster_json = None

    def _place(self, account_id: UUID, name: str | None) -> None:
        assert self.roster is not None
        if name is None:
            self.roster.pop(account_id, None)
        else:
            self.roster[account_id] = name

    def _schedule(self) -> None:
        if self._end - self._open >= ROUND:
            self.close()
            self._flush()
        elif self._timer is None and (self._end > self._open or (self._moved and self.roster is not None)):
            due = max(0.0, self._flushed_at + self.interval() - time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(due, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self._flushed_at = time.monotonic()
        if self._moved and self.roster is not None:
            self._items.append(_Item(None, None, _moved_json(self._moved)))
            self._moved = {}
        self._open = self._end
        self._frames = {}
        for each in self.subscriptions:
            if self._open - each.cursor > QUEUE:
                each.end(End(Close.TOO_SLOW))
            else:
                each.wake()
        self._forget(self._open - QUEUE)

    def _forget(self, until: int) -> None:
        if until > self._base:
            del self._items[: until - self._base]
            self._base = until
            self._frames = {}

    def _join(self, begin: int, floor: tuple[int, int] | None) -> tuple[Frame | None, int]:
        """A frame that begins with the event `begin`, and where the next one does. None: nothing in between is new."""
        parts: list[bytes] = []
        size, last_id, at = 0, None, begin
        while at < self._open and size < FRAME_BYTES:
            item = self._items[at - self._base]
            at += 1
            if floor is None or item.place is None or item.place > floor:
                parts.append(item.json)
                size += len(item.json)
                last_id = item.id or last_id
        return (Frame(f"[{b','.join(parts).decode()}]", last_id) if parts else None), at

    def _passes(self, begin: int, end: int, floor: tuple[int, int]) -> bool:
        items = self._items[begin - self._base : end - self._base]
        return any(item.place is not None and item.place > floor for item in items)


def reset_json(last_event: str | None) -> bytes:
    """The event that says: what you missed is no longer all there, read the room anew."""
    return encode({"id": last_event, "type": EventType.RESET})


def _moved_json(moved: dict[UUID, str | None]) -> bytes:
    came = [{"account_id": str(account_id), "name": name} for account_id, name in moved.items() if name is not None]
    went = [{"account_id": str(account_id)} for account_id, name in moved.items() if name is None]
    return encode({"type": EventType.PRESENCE, "complete": False, "online": came, "offline": went})
