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
    Kind,
    TooManyWebhooks,
    Webhook,
)
from share_service.webhooks.notices import seal_of, service_of


@dataclass(frozen=True, slots=True)
class Waiting:
    """A webhook, and the number of events that it is still to be told of."""

    webhook: Webhook
    events: int


async def add_webhook(
    context: Context, author: Author, kind: Kind, url: str, events: Sequence[EventType], *, is_for_all: bool
) -> Webhook:
    """Have a URL called, or notices sent to it, when something happens to the account's shares, or to everybody's.

    A notice is sent at once, to try the URL out. Raises `UrlInvalid`, `NoticeUrlInvalid`, `TooManyWebhooks`, and
    `Forbidden` for everybody's shares unless this is an administrator.
    """
    owner = _owner(author.identity, is_for_all=is_for_all)
    now = clock.now()
    unaddressed = Webhook(new_id(), owner, "", list(dict.fromkeys(events)), True, now, now, 0, None, None, kind=kind)
    webhook = _addressed(context, _vouched(unaddressed, author.identity), url)
    async with context.db.transaction() as connection:
        if await queries.lock_webhooks_of(connection, owner, kind) >= WEBHOOKS_EACH:
            raise TooManyWebhooks
        await queries.insert_webhook(connection, webhook)
        if kind == "notice":
            await queries.insert_event(connection, webhook.id, PING, now)
        await _record(connection, author, "add", webhook, new=_values(webhook))
    return webhook


async def list_webhooks(context: Context, identity: Identity, kind: Kind, *, is_for_all: bool) -> list[Waiting]:
    """The webhooks or notices of the account, or of the place. Raises `Forbidden`."""
    owner = _owner(identity, is_for_all=is_for_all)
    async with context.db.connection() as connection:
        found = await queries.webhooks_of(connection, owner, kind)
        waiting = await queries.count_events(connection, [webhook.id for webhook in found])
    return [Waiting(webhook, waiting.get(webhook.id, 0)) for webhook in found]


async def change_webhook(
    context: Context,
    author: Author,
    kind: Kind,
    webhook_id: UUID,
    *,
    url: str | None,
    events: Sequence[EventType] | None,
    is_enabled: bool | None,
) -> Webhook:
    """Change what is not None; it is called at once if events wait for it.

    Raises `NotFound`, `UrlInvalid`, `NoticeUrlInvalid`.
    """
    async with context.db.transaction() as connection:
        webhook = _own(author.identity, kind, await queries.lock_webhook(connection, webhook_id))
        changed = replace(
            _vouched(webhook if url is None else _addressed(context, webhook, url), author.identity),
            events=webhook.events if events is None else list(dict.fromkeys(events)),
            is_enabled=webhook.is_enabled if is_enabled is None else is_enabled,
            due_at=clock.now(),
            failures=0,
            error=None,
        )
        await queries.update_webhook(connection, changed)
        await _record(connection, author, "change", webhook, old=_values(webhook), new=_values(changed))
    return changed


async def try_webhook(context: Context, identity: Identity, kind: Kind, webhook_id: UUID) -> None:
    """Tell the webhook of a `ping`. Raises `NotFound`, `EventsWaiting`."""
    async with context.db.transaction() as connection:
        _own(identity, kind, await queries.lock_webhook(connection, webhook_id))
        if await queries.count_events(connection, [webhook_id]):
            raise EventsWaiting
        await queries.insert_event(connection, webhook_id, PING, clock.now())


async def delete_webhook(context: Context, author: Author, kind: Kind, webhook_id: UUID) -> None:
    """Delete a webhook, with what it is still to be told of. Raises `NotFound`."""
    async with context.db.transaction() as connection:
        webhook = _own(author.identity, kind, await queries.lock_webhook(connection, webhook_id))
        await queries.delete_webhook(connection, webhook_id)
        await queries.delete_events_of(connection, webhook_id)
        await _record(connection, author, "delete", webhook, old=_values(webhook))


def _owner(identity: Identity, *, is_for_all: bool) -> UUID:
    if not is_for_all:
        return identity.account_id
    if not _administers(identity):
        raise Forbidden
    return EVERYBODY


def _addressed(context: Context, webhook: Webhook, url: str) -> Webhook:
    """The webhook with this URL. Raises `UrlInvalid`, `NoticeUrlInvalid`."""
    if webhook.kind == "notice":
        return replace(webhook, url=service_of(url), sealed=seal_of(context).close(url.encode()))
    parse(url)
    return replace(webhook, url=url)


def _vouched(webhook: Webhook, identity: Identity) -> Webhook:
    """The webhook; if it is for everybody's shares, it ends with the rights of this administrator."""
    return replace(webhook, vouched_by=identity.account_id) if webhook.owner == EVERYBODY else webhook


def _own(identity: Identity, kind: Kind, webhook: Webhook | None) -> Webhook:
    """The webhook of this kind, if the account may change it. Raises `NotFound`."""
    is_own = webhook is not None and webhook.owner == identity.account_id
    if (
        webhook is None
        or webhook.kind != kind
        or not (is_own or (webhook.owner == EVERYBODY and _administers(identity)))
    ):
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
    """Record an act on a webhook, or notice, that hears of everybody's shares."""
    if webhook.owner == EVERYBODY:
        await record(
            connection, author, [Act(f"{webhook.kind}.{act}", webhook.kind, str(webhook.id), old=old, new=new)]
        )
