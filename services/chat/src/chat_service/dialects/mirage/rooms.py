"""Mirage: rooms and what is said in them (sections 3 and 4 of its document), the ping, and what is not here.

Its pages poll; nothing here is throttled but wrong passwords. An id is a number, or its digits.
"""

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from chat_service.context import Context
from chat_service.edge import address_of, state_of
from chat_service.messages import posting as messages
from chat_service.rooms import creating as rooms
from chat_service.rooms import joining
from chat_service.rooms import moderating as members
from chat_service.rooms.model import (
    ListedRoom,
    MessageEmpty,
    NewRoom,
    NotAMember,
    PublicRoomsFull,
    RoomNameTaken,
    RoomNotFound,
    RoomPasswordMissing,
    RoomPasswordWrong,
)
from chat_service.streams import Message
from common.dialects import mirage
from common.dialects.mirage import MirageRoute, Refused, number_of, read_fields
from common.http.json_bodies import Fields, text_of
from common.identities import Identities
from common.identity import Identity

# What one answer may list.
ROOMS_LISTED = 10_000
# A byte of a text may take six in JSON (`\u0041`); and there are other members.
BYTES_PER_BYTE, OTHER_MEMBERS = 6, 16 * 1024

INVALID_FIELDS = 400, "invalid fields received"
NAME_OR_TOKEN_MISSING = 400, "missing room name or token"
TOKEN_MISSING = 400, "missing token"
LOG_IN_AGAIN = 401, "invalid token, please re-login"
FIELDS_MISSING = 400, "missing fields"
TOKEN_OR_ROOM_MISSING = 400, "missing token or room id"
NOT_IN_ROOM = 403, "you are not in this room"
NO_MEMBERS = 404, "no members in this room"

router = APIRouter(prefix="/api", route_class=MirageRoute, include_in_schema=False)


@router.get("/ping")
async def ping() -> Response:
    """That somebody is there."""
    return JSONResponse({"message": "pong"})


@router.post("/create_room")
async def create_room(request: Request) -> Response:
    """Make a room; whoever makes it is in it. A public room has no password, whatever is sent."""
    fields = await read_fields(request)
    name, password = text_of(fields, "room_name").strip(), text_of(fields, "password")
    is_private = _flag(fields.get("is_private", 0))
    if not name or is_private is None or (is_private and not password) or not authorization(request):
        raise Refused(*INVALID_FIELDS)
    identity = await identify(request, INVALID_FIELDS)
    new = NewRoom(name, is_private, password if is_private else None)
    try:
        state = await rooms.create_room(context_of(request), identity, new)
    except RoomNameTaken:
        raise Refused(400, "room already exists") from None
    except PublicRoomsFull as error:
        raise Refused(
            400,
            f"maximum number of public rooms reached ({error.limit}). Please create a private room to continue the"
            " conversation with the people you would like to",
        ) from None
    return JSONResponse({"message": f'room "{state.room.name}" created', "room_id": state.room.id}, 201)


@router.post("/join_room")
async def join_room(request: Request) -> Response:
    """Enter a room by its name. Who is in it already stays in it, and is told the same."""
    fields = await read_fields(request)
    name = text_of(fields, "name").strip()
    if not name:
        raise Refused(*NAME_OR_TOKEN_MISSING)
    identity = await identify(request, NAME_OR_TOKEN_MISSING)
    try:
        room = await joining.join_by_name(
            context_of(request), identity, name, text_of(fields, "password"), address_of(request)
        )
    except RoomNotFound:
        raise Refused(404, "room not found") from None
    except RoomPasswordMissing:
        raise Refused(403, "password required") from None
    except RoomPasswordWrong:
        raise Refused(403, "wrong password") from None
    message = f'{identity.name} joined room "{room.name}"'
    return JSONResponse({"message": message, "room_id": room.id, "room_name": room.name})


@router.get("/rooms")
async def list_public_rooms(request: Request) -> Response:
    """All public rooms, and which of them one is in."""
    identity = await identify(request, TOKEN_MISSING)
    found = await rooms.list_public_rooms(context_of(request), identity, 0, ROOMS_LISTED)
    return JSONResponse({"rooms": [{**_named(room), "joined": room.joined} for room in found]})


@router.get("/user_rooms")
async def list_own_rooms(request: Request) -> Response:
    """All rooms that one is in."""
    identity = await identify(request, LOG_IN_AGAIN)
    found = await rooms.list_own_rooms(context_of(request), identity, 0, ROOMS_LISTED)
    return JSONResponse({"rooms": [{**_named(room), "is_private": int(room.is_private)} for room in found]})


# Whatever follows is taken as it is: an id that is none, a slash at the end.
@router.get("/room_members/{room:path}")
async def list_members(request: Request, room: str) -> Response:
    """The names of who is in a room, whoever asks."""
    await identify(request, LOG_IN_AGAIN)
    room_id = number_of(room)
    if room_id is None:
        raise Refused(*NO_MEMBERS)
    try:
        names = await members.member_names(context_of(request), room_id)
    except RoomNotFound:
        raise Refused(*NO_MEMBERS) from None
    if not names:
        raise Refused(*NO_MEMBERS)
    return JSONResponse({"members": names})


@router.post("/send_room_message")
async def send_room_message(request: Request) -> Response:
    """Say something in a room."""
    context = context_of(request)
    fields = await read_message(request, context.bounds.message_bytes)
    room_id, text = fields.get("room_id"), text_of(fields, "message").strip()
    if not room_id or not text:
        raise Refused(*FIELDS_MISSING)
    identity = await identify(request, FIELDS_MISSING)
    try:
        await messages.post_message(context, identity, _room_id(room_id), text)
    except (RoomNotFound, NotAMember):
        raise Refused(*NOT_IN_ROOM) from None
    except MessageEmpty:
        raise Refused(*FIELDS_MISSING) from None
    return JSONResponse({"message": "sent"})


@router.get("/get_room_messages")
async def read_room_messages(request: Request) -> Response:
    """All that is said in a room and has not expired, the oldest first."""
    room_id = request.query_params.get("room_id")
    if not room_id:
        raise Refused(*TOKEN_OR_ROOM_MISSING)
    identity = await identify(request, TOKEN_OR_ROOM_MISSING)
    try:
        body = await messages.messages_body(context_of(request), identity, _room_id(room_id), render_messages)
    except (RoomNotFound, NotAMember):
        raise Refused(*NOT_IN_ROOM) from None
    return Response(body, media_type="application/json")


def render_messages(room_id: int, found: list[Message]) -> bytes:
    """The body of an answer with these messages."""
    rows = [
        {"username": one.name, "message": one.text, "created_at": one.created_at.timestamp(), "room_id": room_id}
        for one in found
    ]
    return json.dumps({"messages": rows}, ensure_ascii=False, separators=(",", ":")).encode()


async def no_such_call() -> Response:
    """The dialect's social calls: there are none here."""
    raise Refused(404, "not found")


for _name in ("create_post", "vote_post", "reply_to_post", "follow", "unfollow", "check_follow", "fyp"):
    router.add_api_route(f"/{_name}", no_such_call, methods=["GET", "POST", "PUT", "DELETE"])
for _name in ("get_posts", "get_post_by_id", "get_replies", "get_followers", "get_following"):
    router.add_api_route(f"/{_name}/{{of:path}}", no_such_call, methods=["GET", "POST", "PUT", "DELETE"])


def context_of(request: Request) -> Context:
    """What operations work with."""
    return state_of(request).context


def authorization(request: Request) -> str:
    """What is sent as a token; empty: nothing."""
    return request.headers.get("authorization", "")


async def identify(request: Request, missing: tuple[int, str]) -> Identity:
    """Who sends the request. Raises `Refused`: as `missing` says when no token is sent."""
    identities: Identities = request.app.state.identities
    return await mirage.identify(identities, authorization(request), Refused(*missing))


async def read_message(request: Request, most_bytes: int) -> Fields:
    """A body with a text of so many bytes of UTF-8. Raises as `read_fields` does."""
    return await read_fields(request, BYTES_PER_BYTE * most_bytes + OTHER_MEMBERS)


def _room_id(sent: object) -> int:
    """The id that was sent. Raises `Refused` for what can be none: nobody is in such a room."""
    room_id = number_of(sent)
    if room_id is None:
        raise Refused(*NOT_IN_ROOM)
    return room_id


def _flag(sent: object) -> bool | None:
    """0 or 1, also as a text or a boolean; None: something else."""
    flags = {"0": False, "1": True, "False": False, "True": True, "None": False, "": False}
    return flags.get(str(sent)) if isinstance(sent, int | str | None) else None


def _named(room: ListedRoom) -> dict[str, Any]:
    return {"room_id": room.id, "name": room.name}
