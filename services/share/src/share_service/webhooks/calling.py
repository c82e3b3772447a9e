"""Calling webhooks: the events of each in their order, and each at least once.

A webhook that cannot be reached is left alone for a while, with everything that it is to be told of, so that the events
of a share stay in order. A process that dies in the middle tells the event under way again.
"""

from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta

from common import clock, logging
from common.backoff import backoff
from common.db import Connection
from common.errors import DomainError
from common.outbound.client import RemoteRefused
from common.sweeping import AT_ONCE, Sweep, drain, each
from share_service.context import Context
from share_service.webhooks import queries
from share_service.webhooks.model import (
    CALL_SECONDS,
    FIRST_PAUSE,
    KEPT,
    LONGEST_PAUSE,
    TURN,
    Event,
    Secrets,
    Webhook,
)

EVENTS_AT_ONCE = 20
"""Events that one webhook is told of before others have their turn. All of them together end within its turn."""
DROPPED_AT_ONCE = 1000
GONE = 410
"""The status by which a receiver says that it wants no more calls."""

_log = logging.get(__name__)


async def call_webhooks(context: Context) -> None:
    """Tell all webhooks of what happened."""
    await drain(context, SWEEPS)


async def call_due(context: Context) -> int:
    """Tell each webhook that may be called of its next events. Returns the number of webhooks."""
    now = clock.now()
    async with context.db.transaction() as connection:
        due = await queries.claim_due(connection, now, now + TURN, AT_ONCE)

    async def call(webhook: Webhook) -> None:
        await _tell(context, webhook)

    await each(due, call)
    return len(due)


async def drop_events(context: Context) -> int:
    """Delete events that could not be told for too long. Returns their number."""
    async with context.db.transaction() as connection:
        return await queries.delete_events_before(connection, clock.now() - KEPT, DROPPED_AT_ONCE)


async def _tell(context: Context, webhook: Webhook) -> None:
    async with context.db.connection() as connection:
        events = await queries.next_events(connection, webhook.id, EVENTS_AT_ONCE)
    ends_at = clock.now() + TURN - timedelta(seconds=2 * CALL_SECONDS)
    failed = None
    for event in events:
        failed = await _call(context, webhook, event)
        if failed or clock.now() >= ends_at:
            break
    await _record(context, webhook, failed)


async def _call(context: Context, webhook: Webhook, event: Event) -> DomainError | None:
    """Tell a webhook of an event; the error if that failed."""
    body = event.body()
    headers = Secrets(context.key_secret).headers(webhook.id, event, body, clock.now())
    try:
        await context.outbound.post(webhook.url, body, headers)
    except DomainError as error:
        return error
    async with context.db.connection() as connection:
        await queries.delete_event(connection, event.id)
    return None


async def _record(context: Context, webhook: Webhook, failed: DomainError | None) -> None:
    now = clock.now()
    failures = webhook.failures + 1 if failed else 0
    pause = backoff(failures, FIRST_PAUSE, LONGEST_PAUSE) if failed else timedelta(0)
    is_gone = isinstance(failed, RemoteRefused) and failed.status == GONE
    if isinstance(failed, RemoteRefused) and failed.retry_after:
        pause = min(max(pause, failed.retry_after), LONGEST_PAUSE)
    called = replace(webhook, failures=failures, error=failed.message if failed else None)
    async with context.db.connection() as connection:
        await queries.record_call(connection, called, now, now + pause, is_gone=is_gone)
    if failed:
        _log.info("a webhook could not be called", webhook=str(webhook.id), error=failed.code, failures=failures)


def _count_due(connection: Connection) -> Awaitable[int]:
    return queries.count_due(connection, clock.now())


def _count_old(connection: Connection) -> Awaitable[int]:
    return queries.count_events_before(connection, clock.now() - KEPT)


SWEEPS = (
    Sweep("webhooks to call", call_due, _count_due),
    Sweep("events that nobody could be told of", drop_events, _count_old),
)
