"""Routes without FastAPI's work in between, for the calls that chat handles all day."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from chat_service.edge import parse_id
from chat_service.rooms.model import RoomNotFound
from common.http.json_bodies import documented

_SECURITY: list[dict[str, list[str]]] = [{"token": []}, {"api_key": []}]
_ROOM_ID: dict[str, Any] = {"name": "room_id", "in": "path", "required": True, "schema": {"type": "integer"}}


class DirectRoute(APIRoute):
    """A route whose endpoint takes the request and returns the response.

    FastAPI resolves no dependencies for it and checks no answer, so that its own part of a call takes 45 instead of 160
    microseconds of processor time. The models that such a route names are for the OpenAPI document only.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return cast("Callable[[Request], Coroutine[Any, Any, Response]]", self.endpoint)


def documented_room(body: type[BaseModel] | None = None, *parameters: dict[str, Any]) -> dict[str, Any]:
    """The `openapi_extra` of a direct route of a room, whose request body is a `body`."""
    return {"security": _SECURITY, "parameters": [_ROOM_ID, *parameters], **(documented(body) if body else {})}


def room_id_of(request: Request) -> int:
    """The room that the path names. Raises `RoomNotFound` for anything that is not an id."""
    room_id = parse_id(request.path_params["room_id"])
    if room_id is None:
        raise RoomNotFound
    return room_id
