"""`/v1/rooms/{room_id}/…`: what happens in a room, as it happens."""

import asyncio
from typing import Annotated, cast

from fastapi import APIRouter, Header, Query, Request, Response, WebSocket
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocketDisconnect

from chat_service.edge import AppState, state_of
from chat_service.live import Close, End, Ended, Listener, Live, Ticket
from chat_service.live.api.connections import checked_after, credential_name
from chat_service.live.api.event_streams import EventStream
from chat_service.live.api.sockets import MessageSent, SocketSession, received_text, refuse, say_end
from chat_service.messages.posting import post_message
from chat_service.rooms.api.schemas import RoomId
from chat_service.rooms.changes import demand
from chat_service.rooms.model import ROOM_ID_MAX, RoomNotFound
from chat_service.streams import Message
from common.errors import DomainError
from common.http.callers import SignedIn
from common.identity import CredentialsMissing, Identity, TokenInvalid
from common.rights import Action

TICKET_SECONDS = 10
"""How long a socket may take to show its ticket."""
PROTOCOL = "waystation"
TICKET_PROTOCOL = "ticket."

EVENTS = """What happens in the room, for as long as the connection lives. A frame (`data`) is a JSON array of events:

- `message` (as in the list of messages), `edit` (`message_id`, `text`), `delete` (`message_id`), `joined`, `left`,
  `removed`, `muted`, `room`, `closed`: with `id` and `created_at`;
- `typing` (`account_id`, `name`), without an id;
- `presence` (`online`, `offline`), without an id; with `complete`, which comes first, these are all who are connected,
  and `last_event` is what can be resumed after from then on;
- `reset`: what you missed is no longer all there; read the room anew.

Resume with `Last-Event-ID`, or `after`: what came after that event and still lives comes first. The end is said by
`event: end` with a code: 4008 too slow, 1012 and 1013: connect again and resume; 4001, 4003, 4004: not signed in, no
member, no room (any more).

The same by WebSocket: `/v1/rooms/{room_id}/socket?after=`, signed in by a ticket, as the first message
`{"ticket": …}` or as the subprotocol `ticket.…` beside `waystation`. It takes `{"type":"typing"}` (one a second) and
`{"type":"message","text":…,"reply_to":…,"nonce":…}` (ten a second; 4029 for a flood), which `posted` or `error`
answers.
"""


class TicketView(BaseModel):
    """What opens one socket of this room, once, within `expires_in` seconds."""

    ticket: str
    expires_in: int


class _TicketSent(BaseModel):
    ticket: Annotated[str, Field(max_length=256)]


async def events(
    request: Request,
    identity: SignedIn,
    room_id: RoomId,
    after: Annotated[str | None, Query(description="The last event that was seen")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    await _demand(request, identity, room_id)
    listener = Listener(identity, credential_name(identity, request.headers["authorization"]))
    # A browser that comes back by itself sends what it saw last; the address it comes back to is the old one.
    return EventStream(live_of(request).hub, room_id, listener, checked_after(last_event_id or after))


async def issue_ticket(request: Request, response: Response, identity: SignedIn, room_id: RoomId) -> TicketView:
    """A ticket for a socket, which cannot send an `Authorization` header and should have no token in its URL."""
    await _demand(request, identity, room_id)
    response.headers["Cache-Control"] = "no-store"
    tickets = live_of(request).tickets
    name = credential_name(identity, request.headers["authorization"])
    return TicketView(
        ticket=await tickets.issue(Ticket(room_id, name)), expires_in=int(tickets.lifetime.total_seconds())
    )


async def socket(socket: WebSocket, room_id: str, after: str | None = None) -> None:
    """A WebSocket. It is always accepted, as a browser tells its page nothing of one that was not."""
    await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
    try:
        number = _room_number(room_id)
        resume = checked_after(after)
        listener = await _listener(socket, number)
        await _demand(socket, listener.identity, number)
        state = state_of(socket)

        async def post(sent: MessageSent) -> Message:
            return await _post(state, listener, number, sent)

        await SocketSession(socket, live_of(socket).hub, post).run(number, listener, resume)
    except DomainError as error:
        await refuse(socket, error)
    except Ended as ended:
        await say_end(socket, ended.end)
    except TimeoutError:
        await say_end(socket, End(Close.UNAUTHENTICATED))
    except WebSocketDisconnect:
        return


async def _post(state: AppState, listener: Listener, room_id: int, sent: MessageSent) -> Message:
    # As for a request: whoever was signed out a moment ago says nothing more.
    identity = await state.identities.of_name(listener.credential)
    return await post_message(state.context, identity, room_id, sent.text, reply_to=sent.reply_to)


async def _listener(socket: WebSocket, room_id: int) -> Listener:
    """Who has opened a socket. Raises `Unauthenticated`, `TimeoutError`, `WebSocketDisconnect`, `Ended`."""
    identities = state_of(socket).identities
    authorization = socket.headers.get("authorization")
    if authorization:
        identity = await identities.of_header(authorization)
        return Listener(identity, credential_name(identity, authorization))
    ticket = await live_of(socket).tickets.redeem(await _ticket(socket))
    if ticket is None or ticket.room_id != room_id:
        raise TokenInvalid("the ticket was used, is over, or is for something else")
    return Listener(await identities.of_name(ticket.credential), ticket.credential)


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
    demand(Action.READ, await state_of(connection).context.states.fresh(room_id), identity)


def live_of(connection: HTTPConnection) -> Live:
    """The live part of the application that serves a request or a socket."""
    return cast("Live", connection.app.state.live)


def _room_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 19) or not 0 < int(text) <= ROOM_ID_MAX:
        raise RoomNotFound
    return int(text)


router = APIRouter(prefix="/v1/rooms/{room_id}", tags=["live"])
router.add_api_route(
    "/events",
    events,
    methods=["GET"],
    response_model=None,
    description=EVENTS,
    responses={200: {"content": {"text/event-stream": {}}, "description": "Events, without an end"}},
)
router.add_api_route("/tickets", issue_ticket, methods=["POST"], status_code=201, response_model=TicketView)
router.add_api_websocket_route("/socket", socket)
