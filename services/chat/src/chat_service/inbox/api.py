"""`/v1/messages`: direct messages."""

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel

from chat_service.edge import (
    IDEMPOTENCY_KEY,
    AccountView,
    After,
    Limit,
    RequestModel,
    account_view,
    body_limit,
    context_of,
    id_after,
    next_of,
)
from chat_service.inbox import letters
from chat_service.inbox.letters import NEWEST, Letter
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_SIZE
from common.repeatable import Repeatable

router = APIRouter(prefix="/v1/messages", tags=["inbox"])


class InboxRequest(RequestModel):
    """A direct message to the account with the name `recipient`."""

    recipient: str
    message: str


class InboxView(BaseModel):
    """A direct message, sent or received."""

    id: int
    sender: AccountView
    recipient: AccountView
    message: str
    created_at: datetime

    @staticmethod
    def of(letter: Letter) -> "InboxView":
        message = letter.message
        return InboxView(
            id=message.id,
            sender=account_view(message.sender, letter.sender),
            recipient=account_view(message.recipient, letter.recipient),
            message=message.body,
            created_at=message.created_at,
        )


class InboxPage(BaseModel):
    """Direct messages, the newest first."""

    messages: list[InboxView]
    next: str | None


@router.post("", status_code=201, openapi_extra={**documented(InboxRequest), "parameters": [IDEMPOTENCY_KEY]})
async def send_message(request: Request, identity: SignedIn) -> InboxView:
    """Send a message to another account.

    Sent again within ten minutes with the same `Idempotency-Key`, it is the same message.
    """
    context = context_of(request)
    sent = await read_model(request, InboxRequest, body_limit(context.bounds.inbox_message_bytes))
    key, repeatable = request.headers.get("idempotency-key"), None
    if key is not None:
        content = f"{sent.recipient}\0{sent.message}".encode()
        repeatable = Repeatable.of(f"inbox {identity.account_id.hex}", key, content)
    return InboxView.of(await letters.send_inbox(context, identity, sent.recipient, sent.message, repeatable))


@router.get("")
async def list_messages(
    request: Request, identity: SignedIn, limit: Limit = PAGE_SIZE, after: After = None
) -> InboxPage:
    """List the messages that you sent and received."""
    found = await letters.list_inbox(context_of(request), identity, id_after(after, NEWEST), limit + 1)
    more = next_of([letter.message for letter in found], limit)
    return InboxPage(messages=[InboxView.of(letter) for letter in found[:limit]], next=more)


@router.delete("/{message_id}", status_code=204)
async def delete_message(request: Request, identity: SignedIn, message_id: int) -> None:
    """Delete a message that you sent or received, for both sides."""
    await letters.delete_inbox(context_of(request), identity, message_id)
