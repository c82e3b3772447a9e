"""`/v1/rooms/{room_id}/messages/{message_id}`: editing and deleting messages."""

from fastapi import APIRouter, Request, Response

from chat_service.edge import RoomId, body_limit, context_of
from chat_service.messages import editing
from chat_service.messages.api.schemas import MessageView, TextRequest
from chat_service.streams.model import encode
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model

router = APIRouter(prefix="/v1/rooms/{room_id}/messages", tags=["messages"])


@router.patch(
    "/{message_id}",
    response_model=None,
    responses={200: {"model": MessageView}},
    openapi_extra=documented(TextRequest),
)
async def edit_message(request: Request, identity: SignedIn, room_id: RoomId, message_id: str) -> Response:
    """Change the text of a message of your own."""
    context = context_of(request)
    sent = await read_model(request, TextRequest, body_limit(context.bounds.message_bytes))
    message = await editing.edit_message(context, identity, room_id, message_id, sent.text)
    return Response(encode(message.to_json()), media_type="application/json")


@router.delete("/{message_id}", status_code=204)
async def delete_message(request: Request, identity: SignedIn, room_id: RoomId, message_id: str) -> None:
    """Delete a message of your own; owner and moderators may delete those of others."""
    await editing.delete_message(context_of(request), identity, room_id, message_id)
