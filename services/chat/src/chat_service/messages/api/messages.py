"""`/v1/rooms/{room_id}/messages`: what is said in a room. Posting and reading are what chat does all day."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from chat_service.edge import AppState, state_of
from chat_service.messages import files
from chat_service.messages import posting as messages
from chat_service.messages.api.direct import LeanRoute, documented_lean, room_id_of
from chat_service.rooms.api.schemas import MessageList, MessageRequest, MessageView, RoomId, TextRequest
from chat_service.rooms.model import SharedFile
from chat_service.streams import Message
from chat_service.streams.model import encode
from common.http.callers import SignedIn, of_request
from common.http.json_bodies import documented, read_model
from common.http.public_url import base_url

# JSON may write a byte of text as \u0000, and has members besides the text.
BYTES_OF_A_BYTE = 6
BESIDES = 4096


async def post_message(request: Request) -> Response:
    """Say something in a room, or post a file: a link of one's own to it."""
    identity = await of_request(request)
    room_id, state = room_id_of(request), state_of(request)
    wanted = await read_model(request, MessageRequest, _limit(state))
    if wanted.share_id is None:
        message = await messages.post_message(state.context, identity, room_id, wanted.text, reply_to=wanted.reply_to)
    else:
        file = await _shared_file(request, state, wanted.share_id)
        message = await files.post_file(
            state.context,
            identity,
            room_id,
            wanted.text or file.url,
            file=file,
            share_id=wanted.share_id,
            reply_to=wanted.reply_to,
        )
    return _json(encode(message.to_json()), 201)


async def list_messages(request: Request) -> Response:
    """The living messages of a room that the account is in, the oldest first."""
    identity = await of_request(request)
    return _json(await messages.messages_body(state_of(request).context, identity, room_id_of(request), render))


async def edit_message(request: Request, identity: SignedIn, room_id: RoomId, message_id: str) -> Response:
    """Give a message of one's own another text."""
    state = state_of(request)
    wanted = await read_model(request, TextRequest, _limit(state))
    message = await messages.edit_message(state.context, identity, room_id, message_id, wanted.text)
    return _json(encode(message.to_json()))


async def delete_message(request: Request, identity: SignedIn, room_id: RoomId, message_id: str) -> Response:
    """Delete a message of one's own; owner and moderators may delete those of others."""
    await messages.delete_message(state_of(request).context, identity, room_id, message_id)
    return Response(status_code=204)


def render(_: int, found: list[Message]) -> bytes:
    """A `MessageList`, which all who read it share."""
    return encode({"messages": [message.to_json() for message in found]})


def _limit(state: AppState) -> int:
    """Bytes that a body with a message of the greatest size may have."""
    return BYTES_OF_A_BYTE * state.context.bounds.message_bytes + BESIDES


async def _shared_file(request: Request, state: AppState, share_id: UUID) -> SharedFile:
    share = await state.shares.own(request.headers["authorization"], share_id)
    url = f"{base_url(request, state.public_url)}/f/{share.code}"
    return SharedFile(share.name, share.size, share.type, url)


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


lean = APIRouter(prefix="/v1/rooms/{room_id}/messages", tags=["messages"], route_class=LeanRoute)
lean.add_api_route(
    "",
    post_message,
    methods=["POST"],
    status_code=201,
    response_model=None,
    responses={201: {"model": MessageView}},
    openapi_extra=documented_lean(MessageRequest),
)
lean.add_api_route(
    "",
    list_messages,
    methods=["GET"],
    response_model=None,
    responses={200: {"model": MessageList}},
    openapi_extra=documented_lean(),
)
router = APIRouter(prefix="/v1/rooms/{room_id}/messages", tags=["messages"])
router.add_api_route(
    "/{message_id}",
    edit_message,
    methods=["PATCH"],
    response_model=None,
    responses={200: {"model": MessageView}},
    openapi_extra=documented(TextRequest),
)
router.add_api_route("/{message_id}", delete_message, methods=["DELETE"], status_code=204)
