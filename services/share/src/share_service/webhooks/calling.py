"""Calling webhooks: the events of each in their order, and each at least once.

A webhook that cannot be reached is left alone for a while, with everything that it is to be told of, so that the events
of a share stay in order. A process that dies in the middle tells the event under way again.

A few webhooks are called at a time, and only one of each owner. They have their turns one after the other, and a
receiver that was slow waits afterwards for as long as it took: so slow ones have few places, and not for long.

Nobody is told of anything while the account that owns the webhook is suspended, nor of everybody's shares on the word
of somebody who is no administrator any more. What has not been told within a day (`KEPT`) is dropped.
"""

import asyncio
import time
from collections.abc import Awaitable, Collection
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

from common import clock, logging
from common.backoff import backoff
from common.db import Connection
from common.errors import DomainError, Unavailable
from common.outbound.client import RemoteRefused
from common.sweeping import AT_ONCE, Sweep, drain
from share_service.context import Context
from share_service.webhooks import queries
from share_service.webhooks.model import (
    EVERYBODY,
    FAILED_AFTER,
    FIRST_PAUSE,
    KEPT,
    LONGEST_PAUSE,
    MOST_WAITING,
    TURN,
    TURN_SECONDS,
    WEBHOOKS_EACH,
    Event,
    Kind,
    Secrets,
    Webhook,
)
from share_service.webhooks.notices import LASTING, send

EVENTS_AT_ONCE = 20
"""Events that one webhook is told of before others have their turn. All of them together end within its turn."""
BATCH_SECONDS = 20.0
"""Turns begin for this long before the sweep looks whether it should end."""
LOOK_SECONDS = 1.0
"""While all that is left is slow, others are looked for this often."""
NOTICES_AT_ONCE = 2
"""Each is a process of some 50 MiB."""
PAGE = 500
MOST_OF_OWNERS = AT_ONCE * WEBHOOKS_EACH
"""Among more webhooks than these is one of an owner of whom none is being called."""
SLOW = timedelta(seconds=1)
DROPPED_AT_ONCE = 1000
UNVOUCHED = "disabled, because whoever added or last changed it is no administrator any more"
GONE = 410
"""The status by which a receiver says that it wants no more calls."""

_log = logging.get(__name__)


async def call_webhooks(context: Context) -> None:
    """Tell all webhooks of what happened."""
    await drain(context, SWEEPS)


async def call_due(context: Context) -> int:
    """Tell webhooks that may be called of their next events, until none is left. Returns the number of turns.

    Notices, which may take much longer, have places of their own, and keep no webhook waiting.
    """
    of_webhooks, of_notices = _Round(context, "webhook", AT_ONCE), _Round(context, "notice", NOTICES_AT_ONCE)
    turns, count = dict[asyncio.Task[None], Webhook](), 0
    ends_at = time.monotonic() + BATCH_SECONDS

    async def following() -> Webhook | None:
        is_ending, under_way = time.monotonic() >= ends_at, turns.values()
        if is_ending and all(each.kind == "webhook" for each in under_way):
            return None
        found = await of_webhooks.next(under_way)
        return found if found or is_ending else await of_notices.next(under_way)

    try:
        while True:
            while webhook := await following():
                turns[asyncio.create_task(_tell(context, webhook))] = webhook
                count += 1
            if not turns:
                return count
            done, _ = await asyncio.wait(turns, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for turn in done:
                del turns[turn]
                turn.result()
    finally:
        # After an error of one, the others end their turns.
        await asyncio.gather(*turns, return_exceptions=True)


class _Round:
    """The webhooks, or notices, that may be called, page by page in the order of their ids, and again from the first.

    `places`: the number of those that are called at a time.
    """

    def __init__(self, context: Context, kind: Kind, places: int) -> None:
        self._context, self._places = context, places
        self._kind: Kind = kind
        self._line: list[tuple[UUID, UUID]] = []
        self._after: UUID | None = None

    async def next(self, under_way: Collection[Webhook]) -> Webhook | None:
        """One whose owner has none under way, which is now this process's for `TURN`; None if there is none, or no
        place."""
        busy_owners = [each.owner for each in under_way if each.kind == self._kind]
        if len(busy_owners) >= self._places:
            return None
        if len(self._line) <= MOST_OF_OWNERS:
            await self._look_further()
        for found in [found for found in self._line if found[1] not in busy_owners]:
            self._line.remove(found)
            now = clock.now()
            async with self._context.db.connection() as connection:
                webhook = await queries.claim_webhook(connection, found[0], now, now + TURN)
            if webhook:
                return webhook
        return None

    async def _look_further(self) -> None:
        async with self._context.db.connection() as connection:
            page = await queries.due_webhooks(connection, self._kind, clock.now(), self._after, PAGE)
        self._after = page[-1][0] if len(page) == PAGE else None
        self._line += [found for found in page if found not in self._line]


async def drop_events(context: Context) -> int:
    """Delete events that could not be told for too long. Returns their number."""
    async with context.db.transaction() as connection:
        return await queries.delete_events_before(connection, clock.now() - KEPT, DROPPED_AT_ONCE)


async def drop_surplus(context: Context) -> int:
    """Delete the oldest events of a webhook for which too many wait. Returns their number."""
    async with context.db.transaction() as connection:
        found = await queries.overfull(connection, MOST_WAITING)
        return await queries.drop_events_to(connection, *found, DROPPED_AT_ONCE) if found else 0


async def _tell(context: Context, webhook: Webhook) -> None:
    if not await _may_be_told(context, webhook):
        return
    began, failed = time.monotonic(), None
    # A notice is about many events.
    at_once = EVENTS_AT_ONCE if webhook.kind == "notice" else 1
    for _ in range(EVENTS_AT_ONCE // at_once):
        async with context.db.connection() as connection:
            events = await queries.next_events(connection, webhook, at_once)
        if not events:
            break
        if webhook.kind == "notice":
            failed = await send(context, webhook, events)
        else:
            failed = await _call(context, webhook, events[0])
        if failed:
            break
        async with context.db.connection() as connection:
            await queries.delete_told(connection, [event.id for event in events])
        # Failures in a row are those since it last heard.
        webhook = replace(webhook, failures=0, failing_since=None)
        if time.monotonic() - began >= TURN_SECONDS:
            break
    await _record(context, webhook, failed, timedelta(seconds=time.monotonic() - began))


async def _may_be_told(context: Context, webhook: Webhook) -> bool:
    """Whether the owner is not suspended. Otherwise, or if auth does not answer, the webhook is put off.

    One for everybody's shares is disabled if the administrator who vouched for it is none any more.
    """
    pause = TURN
    try:
        if webhook.owner == EVERYBODY:
            if webhook.vouched_by is None or await context.is_administrator(webhook.vouched_by):
                return True
            await _disable(context, webhook)
            return False
        if not await context.is_suspended(webhook.owner):
            return True
    except Unavailable:
        pause = FIRST_PAUSE
    async with context.db.connection() as connection:
        await queries.put_off(connection, webhook, clock.now() + pause)
    return False


async def _disable(context: Context, webhook: Webhook) -> None:
    now, disabled = clock.now(), replace(webhook, error=UNVOUCHED)
    _log.warning("a webhook for everybody's shares is disabled with its administrator", webhook=str(webhook.id))
    async with context.db.connection() as connection:
        await queries.record_call(connection, disabled, now, now, is_over=True)


async def _call(context: Context, webhook: Webhook, event: Event) -> DomainError | None:
    """Tell a webhook of an event; the error if that failed."""
    body = event.body()
    headers = Secrets(context.key_secret).headers(webhook.id, event, body, clock.now())
    outbound = context.outbound_of_place if webhook.owner == EVERYBODY else context.outbound
    try:
        await outbound.post(webhook.url, body, headers)
    except DomainError as error:
        return error
    return None


async def _record(context: Context, webhook: Webhook, failed: DomainError | None, took: timedelta) -> None:
    now = clock.now()
    failures, since, pause = 0, None, took if took > SLOW else timedelta(0)
    is_over, error = False, None
    if failed:
        failures, since, error = webhook.failures + 1, webhook.failing_since or now, failed.message
        pause = backoff(failures, FIRST_PAUSE, LONGEST_PAUSE)
        if isinstance(failed, RemoteRefused):
            is_over = failed.status == GONE
            pause = min(max(pause, failed.retry_after or pause), LONGEST_PAUSE)
        is_over = is_over or isinstance(failed, LASTING)
        if now - since >= FAILED_AFTER:
            is_over, error = True, f"disabled, because it has failed for a day: {error}"
        _log.info("a webhook could not be called", webhook=str(webhook.id), error=failed.code, failures=failures)
    called = replace(webhook, failures=failures, error=error, failing_since=since)
    async with context.db.connection() as connection:
        await queries.record_call(connection, called, now, now + pause, is_over=is_over)


def _count_due(connection: Connection) -> Awaitable[int]:
    return queries.count_due(connection, clock.now())


def _count_old(connection: Connection) -> Awaitable[int]:
    return queries.count_events_before(connection, clock.now() - KEPT)


SWEEPS = (
    Sweep("webhooks to call", call_due, _count_due),
    Sweep("events that nobody could be told of", drop_events, _count_old),
    Sweep("webhooks with too many events", drop_surplus, partial(queries.count_overfull, most=MOST_WAITING)),
)
