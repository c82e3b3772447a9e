"""Routes that are called all the time: documented like the others, run without anything in between."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from chat_service.rooms.model import ROOM_ID_MAX, RoomNotFound
from common.http.json_bodies import documented

_SECURITY: list[dict[str, list[str]]] = [{"token": []}, {"api_key": []}]
_ROOM_ID: dict[str, Any] = {"name": "room_id", "in": "path", "required": True, "schema": {"type": "integer"}}


class LeanRoute(APIRoute):
    """A route whose endpoint takes the request and gives the response.

    No dependencies are solved and no answer is checked: the models that it names are for the OpenAPI document alone.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return cast("Callable[[Request], Coroutine[Any, Any, Response]]", self.endpoint)


def documented_lean(body: type[BaseModel] | None = None) -> dict[str, Any]:
    """What `openapi_extra` of a lean route of a room says, whose body is a `body`."""
    return {"security": _SECURITY, "parameters": [_ROOM_ID], **(documented(body) if body else {})}


def room_id_of(request: Request) -> int:
    """The room that the path names. Raises `RoomNotFound` for what is no id."""
    text: str = request.path_params["room_id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 19) or int(text) > ROOM_ID_MAX:
        raise RoomNotFound
    return int(text)
