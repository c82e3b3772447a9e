"""Direct messages (section 6 of Mirage's document)."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from chat_service.accounts import Account
from chat_service.dialects.mirage.requests import authorization, identify, read_message
from chat_service.edge import context_of
from chat_service.filters import MessageEmpty
from chat_service.inbox import letters
from chat_service.inbox.letters import NEWEST, Letter
from chat_service.inbox.model import InboxMessageNotFound, RecipientNotFound
from common.dialects.mirage import DEFAULT_AVATAR, MirageRoute, Refused, number_of, read_fields, row_time
from common.http.json_bodies import text_of

PAGE = 500
BYTES_LISTED = 8 * 1024 * 1024
"""A list ends with the page at which its texts, the newest first, have reached this size."""
GONE = "deleted account"

# Clients compare these texts, one of which has a space before its comma.
SPACED = 401, "invalid token , please re-login"
UNSPACED = 401, "invalid token, please re-login"
TEXT_MISSING = 400, "missing recipient or message"
NO_RECIPIENT = "recipient not found"
NO_MESSAGE = 404, "message not found or unauthorized access"

router = APIRouter(prefix="/api", route_class=MirageRoute, include_in_schema=False)


@router.post("/send_inbox_message")
async def send(request: Request) -> Response:
    """Send a message to an account."""
    context = context_of(request)
    fields = await read_message(request, context.bounds.inbox_message_bytes)
    if not authorization(request):
        raise Refused(*SPACED)
    recipient, text = text_of(fields, "recipient").strip(), text_of(fields, "message")
    if not recipient or not text:
        raise Refused(*TEXT_MISSING)
    identity = await identify(request, SPACED)
    try:
        await letters.send_inbox(context, identity, recipient, text)
    except MessageEmpty:
        raise Refused(*TEXT_MISSING) from None
    except RecipientNotFound:
        # The original sends the misspelt member, while its clients read the other one.
        raise Refused(404, NO_RECIPIENT, erorr=NO_RECIPIENT) from None
    return JSONResponse({"message": "message sent"})


@router.get("/inbox")
async def list_messages(request: Request) -> Response:
    """List the messages that the account sent and received, the newest first."""
    identity = await identify(request, SPACED)
    rows: list[dict[str, object]] = []
    before, size = NEWEST, 0
    while size < BYTES_LISTED:
        page = await letters.list_inbox(context_of(request), identity, before, PAGE)
        rows += [_row(letter) for letter in page]
        size += sum(len(letter.message.body.encode()) for letter in page)
        if len(page) < PAGE:
            break
        before = page[-1].message.id
    return JSONResponse({"messages": rows})


@router.post("/delete_inbox_message")
async def delete(request: Request) -> Response:
    """Delete a message for both sides."""
    fields = await read_fields(request)
    if not authorization(request):
        raise Refused(*UNSPACED)
    sent = fields.get("message_id")
    if sent in (None, ""):
        raise Refused(400, "missing message ID")
    identity, message_id = await identify(request, UNSPACED), number_of(sent)
    if message_id is None:
        raise Refused(*NO_MESSAGE)
    try:
        await letters.delete_inbox(context_of(request), identity, message_id)
    except InboxMessageNotFound:
        raise Refused(*NO_MESSAGE) from None
    return JSONResponse({"message": "message deleted successfully"})


@router.get("/inbox_count")
async def count(request: Request) -> Response:
    """Count the messages that the account sent and received."""
    identity = await identify(request, UNSPACED)
    return JSONResponse({"inbox_count": await letters.count_inbox(context_of(request), identity)})


def _row(letter: Letter) -> dict[str, object]:
    message, sender = letter.message, letter.sender
    return {
        "id": message.id,
        "sender": _name(sender),
        "recipient": _name(letter.recipient),
        "message": message.body,
        "created_at": row_time(message.created_at),
        "avatar_url": (sender and sender.avatar_url) or DEFAULT_AVATAR,
    }


def _name(account: Account | None) -> str:
    return account.name if account else GONE
