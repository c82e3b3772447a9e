"""Webhooks of accounts, and of the place: adding, listing, changing, trying and deleting them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from common import clock
from common.audit import Act, Author
from common.audit_log import record
from common.db import Connection
from common.errors import Forbidden, NotFound
from common.identity import Identity
from common.ids import new_id
from common.outbound.urls import parse, without_credentials
from common.rights import Action, Actor, permitted
from share_service.context import Context
from share_service.webhooks import queries
from share_service.webhooks.model import (
    EVERYBODY,
    PING,
    WEBHOOKS_EACH,
    EventsWaiting,
    EventType,
    TooManyWebhooks,
    Webhook,
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A webhook, and the number of events that it is still to be told of."""

    webhook: Webhook
    events: int


async def add_webhook(
    context: Context, author: Author, url: str, events: Sequence[EventType], *, is_for_all: bool
) -> Webhook:
    """Have a URL called when something happens to the account's shares, or to everybody's.

    Raises `UrlInvalid`, `TooManyWebhooks`, and `Forbidden` for everybody's shares unless this is an administrator.
    """
    owner = _owner(author.identity, is_for_all=is_for_all)
    parse(url)
    now = clock.now()
    webhook = Webhook(new_id(), owner, url, list(dict.fromkeys(events)), True, now, now, 0, None, None)
    async with context.db.transaction() as connection:
        if await queries.lock_webhooks_of(connection, owner) >= WEBHOOKS_EACH:
            raise TooManyWebhooks
        await queries.insert_webhook(connection, webhook)
        await _record(connection, author, "webhook.add", webhook, new=_values(webhook))
    return webhook


async def list_webhooks(context: Context, identity: Identity, *, is_for_all: bool) -> list[Waiting]:
    """The webhooks of the account, or of the place. Raises `Forbidden`."""
    owner = _owner(identity, is_for_all=is_for_all)
    async with context.db.connection() as connection:
        found = await queries.webhooks_of(connection, owner)
        waiting = await queries.count_events(connection, [webhook.id for webhook in found])
    return [Waiting(webhook, waiting.get(webhook.id, 0)) for webhook in found]


async def change_webhook(
    context: Context,
    author: Author,
    webhook_id: UUID,
    *,
    url: str | None,
    events: Sequence[EventType] | None,
    is_enabled: bool | None,
) -> Webhook:
    """Change what is not None; it is called at once if events wait for it. Raises `NotFound`, `UrlInvalid`."""
    if url is not None:
        parse(url)
    async with context.db.transaction() as connection:
        webhook = _own(author.identity, await queries.lock_webhook(connection, webhook_id))
        changed = replace(
            webhook,
            url=webhook.url if url is None else url,
            events=webhook.events if events is None else list(dict.fromkeys(events)),
            is_enabled=webhook.is_enabled if is_enabled is None else is_enabled,
            due_at=clock.now(),
            failures=0,
            error=None,
        )
        await queries.update_webhook(connection, changed)
        await _record(connection, author, "webhook.change", webhook, old=_values(webhook), new=_values(changed))
    return changed


async def try_webhook(context: Context, identity: Identity, webhook_id: UUID) -> None:
    """Tell the webhook of a `ping`. Raises `NotFound`, `EventsWaiting`."""
    async with context.db.transaction() as connection:
        _own(identity, await queries.lock_webhook(connection, webhook_id))
        if await queries.count_events(connection, [webhook_id]):
            raise EventsWaiting
        await queries.insert_event(connection, webhook_id, PING, clock.now())


async def delete_webhook(context: Context, author: Author, webhook_id: UUID) -> None:
    """Delete a webhook, with what it is still to be told of. Raises `NotFound`."""
    async with context.db.transaction() as connection:
        webhook = _own(author.identity, await queries.lock_webhook(connection, webhook_id))
        await queries.delete_webhook(connection, webhook_id)
        await queries.delete_events_of(connection, webhook_id)
        await _record(connection, author, "webhook.delete", webhook, old=_values(webhook))


def _owner(identity: Identity, *, is_for_all: bool) -> UUID:
    if not is_for_all:
        return identity.account_id
    if not _administers(identity):
        raise Forbidden
    return EVERYBODY


def _own(identity: Identity, webhook: Webhook | None) -> Webhook:
    """The webhook, if the account may change it. Raises `NotFound`."""
    is_own = webhook is not None and webhook.owner == identity.account_id
    if webhook is None or not (is_own or (webhook.owner == EVERYBODY and _administers(identity))):
        raise NotFound
    return webhook


def _administers(identity: Identity) -> bool:
    return permitted(Action.ADMINISTER, Actor(identity), None)


def _values(webhook: Webhook) -> dict[str, Any]:
    return {"url": without_credentials(webhook.url), "events": webhook.events, "is_enabled": webhook.is_enabled}


async def _record(
    connection: Connection,
    author: Author,
    act: str,
    webhook: Webhook,
    *,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
) -> None:
    """Record an act on a webhook that hears of everybody's shares."""
    if webhook.owner == EVERYBODY:
        await record(connection, author, [Act(act, "webhook", str(webhook.id), old=old, new=new)])
