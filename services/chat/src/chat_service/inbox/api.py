"""`/v1/messages`: direct messages, kept until one of the two deletes them."""

from fastapi import APIRouter, Request, Response

from chat_service.edge import state_of
from chat_service.inbox import letters as inbox
from chat_service.inbox.letters import NEWEST, Letter
from chat_service.messages.api.messages import BESIDES, BYTES_OF_A_BYTE
from chat_service.rooms.api.members import account_view
from chat_service.rooms.api.schemas import After, InboxPage, InboxRequest, InboxView, Limit, next_of, number_of
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model
from common.pages import PAGE_SIZE


async def send_message(request: Request, identity: SignedIn) -> InboxView:
    """Send somebody a message."""
    context = state_of(request).context
    wanted = await read_model(request, InboxRequest, BYTES_OF_A_BYTE * context.bounds.inbox_message_bytes + BESIDES)
    return _view(await inbox.send_inbox(context, identity, wanted.recipient, wanted.message))


async def list_messages(
    request: Request, identity: SignedIn, limit: Limit = PAGE_SIZE, after: After = None
) -> InboxPage:
    """What the account has sent and received."""
    found = await inbox.list_inbox(state_of(request).context, identity, number_of(after, NEWEST), limit + 1)
    more = next_of([letter.message for letter in found], limit)
    return InboxPage(messages=[_view(letter) for letter in found[:limit]], next=more)


async def delete_message(request: Request, identity: SignedIn, message_id: int) -> Response:
    """Delete a message that the account sent or received, for both."""
    await inbox.delete_inbox(state_of(request).context, identity, message_id)
    return Response(status_code=204)


def _view(letter: Letter) -> InboxView:
    message = letter.message
    return InboxView(
        id=message.id,
        sender=account_view(message.sender, letter.sender),
        recipient=account_view(message.recipient, letter.recipient),
        message=message.body,
        created_at=message.created_at,
    )


router = APIRouter(prefix="/v1/messages", tags=["inbox"])
router.add_api_route("", send_message, methods=["POST"], status_code=201, openapi_extra=documented(InboxRequest))
router.add_api_route("", list_messages, methods=["GET"])
router.add_api_route("/{message_id}", delete_message, methods=["DELETE"], status_code=204)
