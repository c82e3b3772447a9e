"""Messages of rooms (section 4 of Mirage's document)."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from chat_service.dialects.mirage.requests import NOT_IN_ROOM, identify, read_message, room_id_of
from chat_service.edge import context_of
from chat_service.filters import MessageEmpty
from chat_service.messages import posting, reading
from chat_service.rooms.model import NotAMember, RoomNotFound
from chat_service.streams import Rendering, StoredMessage
from chat_service.streams.model import encode
from common.dialects.mirage import MirageRoute, Refused
from common.http.json_bodies import text_of

FIELDS_MISSING = 400, "missing fields"
TOKEN_OR_ROOM_MISSING = 400, "missing token or room id"

router = APIRouter(prefix="/api", route_class=MirageRoute, include_in_schema=False)


@router.post("/send_room_message")
async def send_room_message(request: Request) -> Response:
    """Post a message."""
    context = context_of(request)
    fields = await read_message(request, context.bounds.message_bytes)
    room_id, text = fields.get("room_id"), text_of(fields, "message").strip()
    if not room_id or not text:
        raise Refused(*FIELDS_MISSING)
    identity = await identify(request, FIELDS_MISSING)
    try:
        await posting.post_message(context, identity, room_id_of(room_id), text)
    except (RoomNotFound, NotAMember):
        raise Refused(*NOT_IN_ROOM) from None
    except MessageEmpty:
        raise Refused(*FIELDS_MISSING) from None
    return JSONResponse({"message": "sent"})


@router.get("/get_room_messages")
async def read_room_messages(request: Request) -> Response:
    """Read the messages of a room, the oldest first."""
    room_id = request.query_params.get("room_id")
    if not room_id:
        raise Refused(*TOKEN_OR_ROOM_MISSING)
    identity = await identify(request, TOKEN_OR_ROOM_MISSING)
    try:
        body = await reading.read_messages(context_of(request), identity, room_id_of(room_id), LIST)
    except (RoomNotFound, NotAMember):
        raise Refused(*NOT_IN_ROOM) from None
    return Response(body, media_type="application/json")


def _row(room_id: int, stored: StoredMessage) -> bytes:
    one = stored.message()
    sent_at = one.created_at.timestamp()
    return encode({"username": one.name, "message": one.text, "created_at": sent_at, "room_id": room_id})


LIST = Rendering(b'{"messages":[', _row, b"]}")
