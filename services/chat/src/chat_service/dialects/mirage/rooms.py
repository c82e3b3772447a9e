"""Rooms (section 3 of Mirage's document), the ping, and the calls that are not offered here."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from chat_service.dialects.mirage.requests import authorization, identify
from chat_service.edge import address_of, context_of
from chat_service.rooms import creating, finding, joining, members
from chat_service.rooms.model import (
    ListedRoom,
    NewRoom,
    PublicRoomsFull,
    RoomNameTaken,
    RoomNotFound,
    RoomPasswordMissing,
    RoomPasswordWrong,
)
from common.dialects.mirage import MirageRoute, Refused, number_of, read_fields
from common.http.json_bodies import text_of

ROOMS_LISTED = 10_000
"""The most rooms in one answer."""

INVALID_FIELDS = 400, "invalid fields received"
NAME_OR_TOKEN_MISSING = 400, "missing room name or token"
TOKEN_MISSING = 400, "missing token"
LOG_IN_AGAIN = 401, "invalid token, please re-login"
NO_MEMBERS = 404, "no members in this room"

router = APIRouter(prefix="/api", route_class=MirageRoute, include_in_schema=False)


@router.get("/ping")
async def ping() -> Response:
    """Answer that the service is there."""
    return JSONResponse({"message": "pong"})


@router.post("/create_room")
async def create_room(request: Request) -> Response:
    """Create a room. A password that is sent for a public one is ignored."""
    fields = await read_fields(request)
    name, password = text_of(fields, "room_name").strip(), text_of(fields, "password")
    is_private = _flag(fields.get("is_private", 0))
    if not name or is_private is None or (is_private and not password) or not authorization(request):
        raise Refused(*INVALID_FIELDS)
    identity = await identify(request, INVALID_FIELDS)
    new = NewRoom(name, is_private, password if is_private else None)
    try:
        state = await creating.create_room(context_of(request), identity, new)
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
    """Join a room by its name. A member gets the same answer."""
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
    """List all public rooms, and whether the account is a member of each."""
    identity = await identify(request, TOKEN_MISSING)
    found = await finding.list_public_rooms(context_of(request), identity, 0, ROOMS_LISTED)
    return JSONResponse({"rooms": [{**_named(room), "joined": room.joined} for room in found]})


@router.get("/user_rooms")
async def list_own_rooms(request: Request) -> Response:
    """List all rooms that the account is a member of."""
    identity = await identify(request, LOG_IN_AGAIN)
    found = await finding.list_own_rooms(context_of(request), identity, 0, ROOMS_LISTED)
    return JSONResponse({"rooms": [{**_named(room), "is_private": int(room.is_private)} for room in found]})


# The path takes anything, such as an impossible id or a slash at the end.
@router.get("/room_members/{room:path}")
async def list_members(request: Request, room: str) -> Response:
    """List the names of a room's members. A private room that the account is not in is answered like none."""
    identity = await identify(request, LOG_IN_AGAIN)
    room_id = number_of(room)
    if room_id is None:
        raise Refused(*NO_MEMBERS)
    try:
        names = await members.member_names(context_of(request), identity, room_id)
    except RoomNotFound:
        raise Refused(*NO_MEMBERS) from None
    if not names:
        raise Refused(*NO_MEMBERS)
    return JSONResponse({"members": names})


async def no_such_call() -> Response:
    """Refuse the dialect's social calls, which are not offered here."""
    raise Refused(404, "not found")


for _name in ("create_post", "vote_post", "reply_to_post", "follow", "unfollow", "check_follow", "fyp"):
    router.add_api_route(f"/{_name}", no_such_call, methods=["GET", "POST", "PUT", "DELETE"])
for _name in ("get_posts", "get_post_by_id", "get_replies", "get_followers", "get_following"):
    router.add_api_route(f"/{_name}/{{of:path}}", no_such_call, methods=["GET", "POST", "PUT", "DELETE"])


def _flag(sent: object) -> bool | None:
    """0 or 1, also as a text or a boolean; None: something else."""
    flags = {"0": False, "1": True, "False": False, "True": True, "None": False, "": False}
    return flags.get(str(sent)) if isinstance(sent, int | str | None) else None


def _named(room: ListedRoom) -> dict[str, Any]:
    return {"room_id": room.id, "name": room.name}
