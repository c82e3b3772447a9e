"""`/v1/rooms/{room_id}/events`, `…/tickets` and `…/socket`: the events of a room as they happen."""

import asyncio
from typing import Annotated, cast

from fastapi import APIRouter, Header, Query, Request, Response, WebSocket
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect

from chat_service.context import Context
from chat_service.edge import RoomId, address_of, context_of, parse_id
from chat_service.live import Close, End, Ended, Listener, Live, Ticket
from chat_service.live.api.connections import checked_after
from chat_service.live.api.event_streams import EventStream
from chat_service.live.api.sockets import MessageSent, SocketSession, received_text, refuse, say_end
from chat_service.messages.model import repeatable_send
from chat_service.messages.posting import post_message
from chat_service.rooms.model import RoomNotFound
from chat_service.streams import Message
from common.errors import DomainError
from common.http.callers import SignedIn
from common.identities import credential_name
from common.identity import CredentialsMissing, Identity, TokenInvalid
from common.rights import Action

TICKET_SECONDS = 10
"""The time in which a socket has to send its ticket."""
PROTOCOL = "waystation"
TICKET_PROTOCOL = "ticket."

EVENTS = """The events of the room, for as long as the connection lives. A frame (`data`) is a JSON array of events:

- `message` (as in the list of messages), `edit` (`message_id`, `text`), `delete` (`message_id`), `joined`, `left`,
  `removed`, `muted`, `room`, `closed`: with `id` and `created_at`;
- `typing` (`account_id`, `name`), without an id;
- `presence` (`count`, `online`, `offline`), without an id. `count` is how many accounts are connected. A `complete` one
  replaces what was told before by all of them; the first one is, and its `last_event` is the event that can be resumed
  after. An account that was online already has a new name. Where more than 100 are connected, none are named;
- `reset`: events that you missed are forgotten; read the room again.

Resume with `Last-Event-ID`, or with `after`: the stream starts with the later events that have not expired. At its end
there is an `event: end` with a code. 1000 (after some 90 seconds), 4008 (too slow), 1012 and 1013: connect again and
resume. 4001, 4003 and 4004: not signed in, not a member, no such room.

The same events come by WebSocket at `/v1/rooms/{room_id}/socket?after=`. A socket signs in by a ticket: as its first
message `{"ticket": …}`, or as the subprotocol `ticket.…` beside `waystation`. It takes `{"type":"typing"}` (one a
second) and `{"type":"message","text":…,"reply_to":…,"nonce":…}` (ten a second; a flood is closed with 4029), which is
answered by `posted` or `error`. Sent again within ten minutes with the same `nonce`, or by HTTP with the nonce as its
`Idempotency-Key`, a message is the same message: send it again when a connection breaks before the answer.
"""

router = APIRouter(prefix="/v1/rooms/{room_id}", tags=["live"])


class TicketView(BaseModel):
    """A ticket, which opens one socket of this room once, within `expires_in` seconds."""

    ticket: str
    expires_in: int


class _TicketSent(BaseModel):
    ticket: Annotated[str, Field(max_length=256)]


@router.get(
    "/events",
    response_model=None,
    description=EVENTS,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events, without an end"}},
)
async def events(
    request: Request,
    identity: SignedIn,
    room_id: RoomId,
    after: Annotated[str | None, Query(description="The last event that was seen")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    await _demand(request, identity, room_id)
    name = credential_name(identity, request.headers["authorization"])
    listener = Listener(identity, name, address_of(request))
    # A browser that reconnects by itself sends the last event that it saw, but still uses its first address.
    return EventStream(live_of(request).hub, room_id, listener, checked_after(last_event_id or after))


@router.post("/tickets", status_code=201)
async def issue_ticket(request: Request, response: Response, identity: SignedIn, room_id: RoomId) -> TicketView:
    """Make a ticket for a socket, which cannot send an `Authorization` header and should have no token in its URL."""
    await _demand(request, identity, room_id)
    response.headers["Cache-Control"] = "no-store"
    tickets = live_of(request).tickets
    name = credential_name(identity, request.headers["authorization"])
    return TicketView(
        ticket=await tickets.issue(Ticket(room_id, name)), expires_in=int(tickets.lifetime.total_seconds())
    )


@router.websocket("/socket")
async def socket(socket: WebSocket, room_id: str, after: str | None = None) -> None:
    """A WebSocket. It is always accepted at first, because browsers tell pages nothing about refused ones."""
    await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
    try:
        number = parse_id(room_id)
        if not number:
            raise RoomNotFound
        resume = checked_after(after)
        listener = await _listener(socket, number)
        await _demand(socket, listener.identity, number)
        context = context_of(socket)

        async def post(sent: MessageSent) -> Message:
            return await _post(context, listener, number, sent)

        await SocketSession(socket, live_of(socket).hub, post).run(number, listener, resume)
    except DomainError as error:
        await refuse(socket, error)
    except Ended as ended:
        await say_end(socket, ended.end)
    except TimeoutError:
        await say_end(socket, End(Close.UNAUTHENTICATED))
    except WebSocketDisconnect:
        return


async def _post(context: Context, listener: Listener, room_id: int, sent: MessageSent) -> Message:
    # As with a request, an account that was signed out a moment ago cannot post any more.
    identity = await context.identities.of_name(listener.credential)
    repeatable = None
    if sent.nonce is not None:
        repeatable = repeatable_send(identity, str(sent.nonce), room_id, sent.text, sent.reply_to)
    return await post_message(context, identity, room_id, sent.text, reply_to=sent.reply_to, repeatable=repeatable)


async def _listener(socket: WebSocket, room_id: int) -> Listener:
    """The account that opened a socket. Raises `Unauthenticated`, `TimeoutError`, `WebSocketDisconnect`, `Ended`."""
    identities = context_of(socket).identities
    authorization = socket.headers.get("authorization")
    if authorization:
        identity = await identities.of_header(authorization)
        return Listener(identity, credential_name(identity, authorization), address_of(socket))
    ticket = await live_of(socket).tickets.redeem(await _ticket(socket))
    if ticket is None or ticket.room_id != room_id:
        raise TokenInvalid("the ticket was used, has expired, or is for another room")
    return Listener(await identities.of_name(ticket.credential), ticket.credential, address_of(socket))


async def _ticket(socket: WebSocket) -> str:
    offered: list[str] = socket.scope["subprotocols"]
    for protocol in offered:
        if protocol.startswith(TICKET_PROTOCOL):
            return protocol.removeprefix(TICKET_PROTOCOL)
    async with asyncio.timeout(TICKET_SECONDS):
        text = await received_text(socket)
    try:
        return _TicketSent.model_validate_json(text).ticket
    except ValidationError:
        raise CredentialsMissing from None


async def _demand(connection: HTTPConnection, identity: Identity, room_id: int) -> None:
    """Raises `RoomNotFound`, `NotAMember`, `Unavailable`."""
    (await context_of(connection).states.fresh(room_id)).demand(Action.READ, identity)


def live_of(connection: HTTPConnection) -> Live:
    """The live part of the application that serves a request or a socket."""
    return cast("Live", connection.app.state.live)
