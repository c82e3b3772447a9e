"""The events of one room, for all who listen to it in this process."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from chat_service.live.backlog import Backlog, BacklogEvent
from chat_service.live.ending import Close, End
from chat_service.live.reader import Entry
from chat_service.live.subscription import Listener, Subscription
from chat_service.streams import EventType, MissedEvent, RoomTerms
from chat_service.streams.model import encode, position, with_id
from common.identity import Identity

QUEUE = 512
"""The number of events that a listener may lag behind."""
# So many events are handed out at once, even before the next frame is due: otherwise listeners that read well would
# fall behind within one round.
ROUND = QUEUE // 2
WOKEN_AT_ONCE = 50
"""The number of listeners that are sent a frame in one turn of the event loop, about five milliseconds."""
ONLINE, OFFLINE = "online", "offline"
CALM = frozenset({EventType.JOINED, EventType.LEFT})
"""Events that may wait for others, like those of presence: in a room of many, they come all the time."""
CALM_SECONDS_PER_LISTENER, CALM_SECONDS = 0.01, 5.0
"""How long such events wait at least for the next frame: so long for each listener, up to a bound."""
NAMED = 100
"""Up to so many connected accounts are told by name; of more, their number alone."""


class RoomView(Protocol):
    """A room with its members, at some version."""

    @property
    def version(self) -> int: ...
    @property
    def terms(self) -> RoomTerms: ...
    def keeps(self, before: "RoomView") -> bool:
        """Whether all who were members at an earlier version still are."""
        ...

    def may_hear(self, identity: Identity) -> bool:
        """Whether the account is a member."""
        ...

    def may_write(self, identity: Identity) -> bool:
        """Whether the account is a member that is not muted."""
        ...


@dataclass(eq=False, slots=True)
class Channel:
    """A room that somebody listens to. Times in seconds of the monotonic clock."""

    view: RoomView
    interval: Callable[[int], float]
    """The least time between two frames to the same listener, given the number of listeners here."""
    subscriptions: set[Subscription] = field(default_factory=set[Subscription])
    last_id: str | None = None
    """The last event that came through this channel."""
    baseline: str | None = None
    """All listeners here have received everything up to this event."""
    roster: dict[UUID, str] | None = None
    """The accounts that are connected to any process, with their names; None: not known yet."""
    _backlog: Backlog = field(default_factory=Backlog)
    _moved: dict[UUID, str | None] = field(default_factory=dict[UUID, "str | None"])
    """The accounts that came (with a name) or went (None) since the last frame."""
    _roster_json: bytes | None = None
    _names: bool = True
    """Whether the connected accounts are told by name."""
    _withheld: bool = False
    """Whether a new listener was told no names although the others still go by them."""
    _calm: bool = True
    """Whether everything that is added and not handed out may wait."""
    _accounts: Counter[UUID] = field(default_factory=Counter[UUID])
    """The numbers of connections here."""
    _flushed_at: float = 0.0
    _timer: asyncio.TimerHandle | None = None

    def add(self, listener: Listener) -> Subscription:
        """A listener that receives everything published from now on, once it begins."""
        made = Subscription(self.view.terms.id, listener, self._backlog, cursor=self._backlog.end)
        self.subscriptions.add(made)
        self._accounts[listener.identity.account_id] += 1
        return made

    def remove(self, subscription: Subscription) -> None:
        """Forget a listener."""
        account_id = subscription.listener.identity.account_id
        self.subscriptions.discard(subscription)
        self._accounts[account_id] -= 1
        if not self._accounts[account_id]:
            del self._accounts[account_id]

    def begin_after(self, last_event: str | None) -> None:
        """Note that a new listener has received everything up to this event, and nothing after it."""
        if last_event and (self.baseline is None or position(last_event) < position(self.baseline)):
            self.baseline = last_event

    def count(self, account_id: UUID) -> int:
        """The number of the account's connections here."""
        return self._accounts[account_id]

    def adopt(self, view: RoomView) -> None:
        """Go by a newer view of the room, and disconnect listeners that are no longer members."""
        if view.version < self.view.version:
            return
        before, self.view = self.view, view
        if view.keeps(before):
            return
        for each in self.subscriptions:
            if not view.may_hear(each.listener.identity):
                each.end(End(Close.FORBIDDEN))

    def publish(self, entries: Iterable[Entry], now: int) -> None:
        """Send events to all listeners, except for those that expired by `now`, Valkey's clock in milliseconds."""
        for entry in entries:
            if entry.expires_at is not None and entry.expires_at <= now:
                continue
            if entry.kind in (ONLINE, OFFLINE):
                self._move(entry)
            elif entry.kind == EventType.TYPING:
                self._backlog.add(BacklogEvent.of_the_moment(entry.body))
                self._calm = False
            else:
                self._add(entry.id, with_id(entry.id, entry.body))
                self._calm = self._calm and entry.kind in CALM
        self._schedule()

    def publish_missed(self, events: Iterable[MissedEvent]) -> None:
        """Send events to all listeners that happened while this process received none."""
        for event in events:
            self._add(event.id, event.json)
        self._calm = False
        self._schedule()

    def publish_reset(self, last_event: str | None) -> None:
        """Tell all listeners that more events were missed than Valkey remembers."""
        self._backlog.add(BacklogEvent.of_the_moment(reset_json(last_event), last_event))
        self._calm = False
        self.last_id, self.baseline = None, last_event
        for each in self.subscriptions:
            each.floor = None
        self._schedule()

    def roster_json(self, last_event: str | None) -> bytes:
        """The event that shows a new listener who is connected; `last_event`: the event that it can resume after."""
        roster = self.roster or {}
        if self._roster_json is None:
            self._withheld = self._withheld or (self._names and len(roster) > NAMED)
            shown = roster if self._names and len(roster) <= NAMED else {}
            self._roster_json = encode(
                [{"account_id": str(account_id), "name": name} for account_id, name in shown.items()]
            )
        return b'{"type":"presence","complete":true,"last_event":%b,"count":%d,"online":%b,"offline":[]}' % (
            encode(last_event),
            len(roster),
            self._roster_json,
        )

    def set_roster(self, roster: dict[UUID, str]) -> None:
        """Set the connected accounts. Later news that arrived since they were read stay in force."""
        self.roster = roster
        for account_id, name in self._moved.items():
            self._place(account_id, name)
        self._moved, self._roster_json = {}, None
        self._names = len(roster) <= NAMED

    def tidy(self) -> None:
        """Forget the events that all listeners have received."""
        backlog = self._backlog
        least = min((each.cursor for each in self.subscriptions), default=backlog.end)
        backlog.forget(min(least, backlog.opened))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _add(self, event_id: str, json: bytes) -> None:
        # After a gap, some events come both from the log and through the reader.
        if self.last_id is not None and position(event_id) <= position(self.last_id):
            return
        self.last_id = event_id
        self._backlog.add(BacklogEvent.with_id(event_id, json))

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
        waiting = self._backlog.end - self._backlog.opened
        if waiting >= ROUND:
            self.close()
            self._flush()
        elif waiting or (self._moved and self.roster is not None):
            pause = self.interval(len(self.subscriptions))
            if self._calm:
                pause = max(pause, min(CALM_SECONDS, CALM_SECONDS_PER_LISTENER * len(self.subscriptions)))
            loop = asyncio.get_running_loop()
            due = loop.time() + max(0.0, self._flushed_at + pause - time.monotonic())
            if self._timer is None or due < self._timer.when():
                self.close()
                self._timer = loop.call_at(due, self._flush)

    def _flush(self) -> None:
        self._timer, self._calm = None, True
        self._flushed_at = time.monotonic()
        if self._moved and self.roster is not None:
            self._backlog.add(BacklogEvent.of_the_moment(self._presence_json(self.roster)))
            self._moved = {}
        self._backlog.open()
        ready: list[Subscription] = []
        for each in self.subscriptions:
            if self._backlog.opened - each.cursor > QUEUE:
                each.end(End(Close.TOO_SLOW))
            else:
                ready.append(each)
        _wake(ready)
        self._backlog.forget(self._backlog.opened - QUEUE)

    def _presence_json(self, roster: dict[UUID, str]) -> bytes:
        """The event about the accounts that came and went; or their number, in a room of many."""
        told_names = self._names
        self._names = len(roster) <= (NAMED if told_names else NAMED * 4 // 5)
        is_complete = self._names != told_names or self._withheld
        moved = roster if is_complete else self._moved
        shown = moved.items() if self._names else ()
        if is_complete:
            self._roster_json, self._withheld = None, False
        return encode(
            {
                "type": EventType.PRESENCE,
                "complete": is_complete,
                "count": len(roster),
                "online": [{"account_id": str(one), "name": name} for one, name in shown if name is not None],
                "offline": [{"account_id": str(one)} for one, name in shown if name is None],
            }
        )


def _wake(ready: list[Subscription]) -> None:
    """Let listeners send what is opened; the rest of many only after others, such as other rooms, had their turn."""
    for each in ready[:WOKEN_AT_ONCE]:
        each.wake()
    if len(ready) > WOKEN_AT_ONCE:
        asyncio.get_running_loop().call_soon(_wake, ready[WOKEN_AT_ONCE:])


def reset_json(last_event: str | None) -> bytes:
    """The event that tells a client to read the room again, because events that it missed are forgotten."""
    return encode({"id": last_event, "type": EventType.RESET})
