"""`/v1/rooms/{room_id}/messages`: posting and reading messages."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from chat_service.edge import IDEMPOTENCY_KEY, body_limit, context_of
from chat_service.messages.api.direct import DirectRoute, documented_room, room_id_of
from chat_service.messages.api.schemas import MessageList, MessageRequest, MessageView
from chat_service.messages.model import SharedFile, repeatable_send
from chat_service.messages.posting import post_file, post_message, posted_before
from chat_service.messages.reading import read_messages
from chat_service.streams import Message, Rendering
from chat_service.streams.model import encode
from common.http.json_bodies import read_model
from common.http.public_url import base_url
from common.identity import Identity
from common.repeatable import Repeatable

LIST = Rendering(b'{"messages":[', lambda _, stored: stored.json(), b"]}")
"""A `MessageList`."""

router = APIRouter(prefix="/v1/rooms/{room_id}/messages", tags=["messages"], route_class=DirectRoute)


@router.post(
    "",
    status_code=201,
    response_model=None,
    responses={201: {"model": MessageView}},
    openapi_extra=documented_room(MessageRequest, IDEMPOTENCY_KEY),
)
async def post(request: Request) -> Response:
    """Post a message, or a file by one of your own links to it.

    Sent again within ten minutes with the same `Idempotency-Key`, it is the same message.
    """
    context = context_of(request)
    identity = await context.identities.of_header(request.headers.get("authorization"))
    room_id = room_id_of(request)
    sent = await read_model(request, MessageRequest, body_limit(context.bounds.message_bytes))
    key, repeatable = request.headers.get("idempotency-key"), None
    if key is not None:
        repeatable = repeatable_send(identity, key, room_id, sent.text, sent.reply_to, sent.share_id)
    if sent.share_id is None:
        message = await post_message(
            context, identity, room_id, sent.text, reply_to=sent.reply_to, repeatable=repeatable
        )
    else:
        message = await _post_file(request, identity, room_id, sent, sent.share_id, repeatable)
    return Response(encode(message.to_json()), 201, media_type="application/json")


async def _post_file(
    request: Request,
    identity: Identity,
    room_id: int,
    sent: MessageRequest,
    share_id: UUID,
    repeatable: Repeatable | None,
) -> Message:
    context = context_of(request)
    # The share may have ended since the message was posted.
    if repeatable and (again := await posted_before(context, identity, room_id, repeatable)):
        return again
    share = await context.shares.own(request.headers["authorization"], share_id)
    url = f"{base_url(request, context.public_url)}/f/{share.code}"
    file = SharedFile(name=share.name, size=share.size, type=share.type, url=url, expires_at=None)
    return await post_file(
        context,
        identity,
        room_id,
        sent.text or url,
        file=file,
        share_id=share_id,
        ends_at=share.expires_at,
        reply_to=sent.reply_to,
        repeatable=repeatable,
    )


@router.get("", response_model=None, responses={200: {"model": MessageList}}, openapi_extra=documented_room())
async def read(request: Request) -> Response:
    """Read the messages of a room that you are a member of, the oldest first."""
    context = context_of(request)
    identity = await context.identities.of_header(request.headers.get("authorization"))
    room_id = room_id_of(request)
    return Response(await read_messages(context, identity, room_id, LIST), media_type="application/json")
