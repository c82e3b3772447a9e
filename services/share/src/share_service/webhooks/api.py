"""`/v1/webhooks`: URLs that are called when something happens to one's own shares, or to all."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from common.http.authors import author_of
from common.http.callers import InPerson
from common.http.json_bodies import documented, read_model
from share_service.edge import context_of
from share_service.webhooks import managing
from share_service.webhooks.managing import Waiting
from share_service.webhooks.model import EVERYBODY, URL_LENGTH, EventType, Secrets

Url = Annotated[str, Field(min_length=1, max_length=URL_LENGTH, pattern=r"^[^\x00]*$")]
Events = Annotated[list[EventType], Field(min_length=1, max_length=20)]

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


class WebhookRequest(BaseModel):
    """A URL to call with `POST`. `everybody`: for the shares of all accounts and guests; administrators only."""

    model_config = {"extra": "forbid"}

    url: Url
    events: Events
    everybody: bool = False


class WebhookChanges(BaseModel):
    """New values; null leaves what there is. Whatever is changed, the next event is sent at once."""

    model_config = {"extra": "forbid"}

    url: Url | None = None
    events: Events | None = None
    enabled: bool | None = None


class WebhookView(BaseModel):
    """A webhook. `waiting`: the number of events that are still to be sent; `error`: the failure of the last call;
    `dropped`: the number of events that were never sent, because too many were waiting.

    `secret` verifies the signatures of calls (Standard Webhooks).
    """

    id: UUID
    url: str
    events: list[str]
    everybody: bool
    enabled: bool
    secret: str
    created_at: datetime
    called_at: datetime | None
    error: str | None
    failures: int
    waiting: int
    dropped: int


class WebhooksView(BaseModel):
    """Webhooks, the newest first."""

    webhooks: list[WebhookView]


@router.post("", status_code=201, openapi_extra=documented(WebhookRequest))
async def add_webhook(request: Request, identity: InPerson) -> WebhookView:
    """Add a webhook."""
    asked = await read_model(request, WebhookRequest)
    context = context_of(request)
    webhook = await managing.add_webhook(
        context, author_of(request, identity), "webhook", asked.url, asked.events, is_for_all=asked.everybody
    )
    return _view(request, Waiting(webhook, 0))


@router.get("")
async def list_webhooks(request: Request, identity: InPerson, everybody: bool = False) -> WebhooksView:
    """List the account's webhooks, or those for everybody's shares."""
    found = await managing.list_webhooks(context_of(request), identity, "webhook", is_for_all=everybody)
    return WebhooksView(webhooks=[_view(request, waiting) for waiting in found])


@router.patch("/{webhook_id}", openapi_extra=documented(WebhookChanges))
async def change_webhook(request: Request, webhook_id: UUID, identity: InPerson) -> WebhookView:
    """Change a webhook, or enable it again."""
    asked = await read_model(request, WebhookChanges)
    changed = await managing.change_webhook(
        context_of(request),
        author_of(request, identity),
        "webhook",
        webhook_id,
        url=asked.url,
        events=asked.events,
        is_enabled=asked.enabled,
    )
    return _view(request, Waiting(changed, 0))


@router.post("/{webhook_id}/ping", status_code=204)
async def ping_webhook(request: Request, webhook_id: UUID, identity: InPerson) -> None:
    """Send the event `ping`; 409 while events are still to be sent. The list of webhooks shows whether it arrived."""
    await managing.try_webhook(context_of(request), identity, "webhook", webhook_id)


@router.delete("/{webhook_id}", status_code=204)
async def delete_webhook(request: Request, webhook_id: UUID, identity: InPerson) -> None:
    """Delete a webhook, with the events that are still to be sent."""
    await managing.delete_webhook(context_of(request), author_of(request, identity), "webhook", webhook_id)


def _view(request: Request, waiting: Waiting) -> WebhookView:
    webhook = waiting.webhook
    return WebhookView(
        id=webhook.id,
        url=webhook.url,
        events=webhook.events,
        everybody=webhook.owner == EVERYBODY,
        enabled=webhook.is_enabled,
        secret=Secrets(context_of(request).key_secret).of(webhook.id),
        created_at=webhook.created_at,
        called_at=webhook.called_at,
        error=webhook.error,
        failures=webhook.failures,
        waiting=waiting.events,
        dropped=webhook.dropped,
    )
