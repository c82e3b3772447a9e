"""`/v1/notices`: messages by mail, to a chat or to a phone when something happens to one's own shares, or to all."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from common.http.authors import author_of
from common.http.callers import InPerson
from common.http.json_bodies import documented, read_model
from share_service.edge import context_of
from share_service.webhooks import managing
from share_service.webhooks.api import Events, Url
from share_service.webhooks.managing import Waiting
from share_service.webhooks.model import EVERYBODY

router = APIRouter(prefix="/v1/notices", tags=["notices"])


class NoticeRequest(BaseModel):
    """A URL of Apprise, such as `mailtos://USER:PASSWORD@HOST?to=ADDRESS` or `ntfys://TOPIC`.

    It is a secret, and is never shown again. `everybody`: for the shares of all accounts and guests; administrators
    only.
    """

    model_config = {"extra": "forbid"}

    url: Url
    events: Events
    everybody: bool = False


class NoticeChanges(BaseModel):
    """New values; null leaves what there is. Whatever is changed, what is waiting is sent at once."""

    model_config = {"extra": "forbid"}

    url: Url | None = None
    events: Events | None = None
    enabled: bool | None = None


class NoticeView(BaseModel):
    """Notices to one URL. `service`: how its URL begins; `waiting`: the number of events that are still to be told.

    `error`: the failure of the last attempt; `dropped`: the number of events that were never told, because too many
    were waiting.
    """

    id: UUID
    service: str
    events: list[str]
    everybody: bool
    enabled: bool
    created_at: datetime
    sent_at: datetime | None
    error: str | None
    failures: int
    waiting: int
    dropped: int


class NoticesView(BaseModel):
    """Notices, the newest first."""

    notices: list[NoticeView]


@router.post("", status_code=201, openapi_extra=documented(NoticeRequest))
async def add_notice(request: Request, identity: InPerson) -> NoticeView:
    """Have notices sent to a URL. The first one comes at once, to try it out."""
    asked = await read_model(request, NoticeRequest)
    author = author_of(request, identity)
    notice = await managing.add_webhook(
        context_of(request), author, "notice", asked.url, asked.events, is_for_all=asked.everybody
    )
    return _view(Waiting(notice, 1))


@router.get("")
async def list_notices(request: Request, identity: InPerson, everybody: bool = False) -> NoticesView:
    """List the account's notices, or those for everybody's shares."""
    found = await managing.list_webhooks(context_of(request), identity, "notice", is_for_all=everybody)
    return NoticesView(notices=[_view(waiting) for waiting in found])


@router.patch("/{notice_id}", openapi_extra=documented(NoticeChanges))
async def change_notice(request: Request, notice_id: UUID, identity: InPerson) -> NoticeView:
    """Change notices, or enable them again."""
    asked = await read_model(request, NoticeChanges)
    author = author_of(request, identity)
    changed = await managing.change_webhook(
        context_of(request),
        author,
        "notice",
        notice_id,
        url=asked.url,
        events=asked.events,
        is_enabled=asked.enabled,
    )
    return _view(Waiting(changed, 0))


@router.post("/{notice_id}/ping", status_code=204)
async def ping_notice(request: Request, notice_id: UUID, identity: InPerson) -> None:
    """Send a notice that tells nothing; 409 while others are still to be sent. The list shows whether it arrived."""
    await managing.try_webhook(context_of(request), identity, "notice", notice_id)


@router.delete("/{notice_id}", status_code=204)
async def delete_notice(request: Request, notice_id: UUID, identity: InPerson) -> None:
    """Delete notices, with what is still to be sent."""
    await managing.delete_webhook(context_of(request), author_of(request, identity), "notice", notice_id)


def _view(waiting: Waiting) -> NoticeView:
    notice = waiting.webhook
    return NoticeView(
        id=notice.id,
        service=notice.url,
        events=notice.events,
        everybody=notice.owner == EVERYBODY,
        enabled=notice.is_enabled,
        created_at=notice.created_at,
        sent_at=notice.called_at,
        error=notice.error,
        failures=notice.failures,
        waiting=waiting.events,
        dropped=notice.dropped,
    )
