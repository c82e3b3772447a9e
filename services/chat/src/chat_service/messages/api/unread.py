"""`/v1/rooms/unread`: the numbers of unread messages, of many rooms at once."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, model_validator

from chat_service.bounds import ID_MAX
from chat_service.edge import RequestModel, context_of
from chat_service.messages.unread import count_unread
from chat_service.streams.model import EVENT_ID
from common.http.callers import SignedIn
from common.http.json_bodies import documented, read_model

ROOMS = 100

router = APIRouter(prefix="/v1/rooms/unread", tags=["messages"])


class SeenRoom(RequestModel):
    """A room, and the id of the last message in it that you have read; null: none."""

    id: Annotated[int, Field(ge=1, le=ID_MAX, strict=True)]
    seen: Annotated[str, Field(pattern=f"^{EVENT_ID}$")] | None = None


class UnreadRequest(RequestModel):
    """The rooms to count in, each once."""

    rooms: Annotated[list[SeenRoom], Field(max_length=ROOMS)]

    @model_validator(mode="after")
    def _each_once(self) -> "UnreadRequest":
        if len({room.id for room in self.rooms}) < len(self.rooms):
            raise ValueError("a room is named twice")
        return self


class UnreadRoom(BaseModel):
    """A room, and how many messages of others are unread in it. 100 stands for any larger number."""

    id: int
    unread: int


class UnreadRooms(BaseModel):
    """The rooms that were asked for, without those that are closed or that you are not a member of."""

    rooms: list[UnreadRoom]


@router.post("", openapi_extra=documented(UnreadRequest))
async def read_unread(request: Request, identity: SignedIn) -> UnreadRooms:
    """Count the messages that you have not read in your rooms, of the newest hundred of each."""
    asked = await read_model(request, UnreadRequest)
    counts = await count_unread(context_of(request), identity, {room.id: room.seen for room in asked.rooms})
    return UnreadRooms(rooms=[UnreadRoom(id=room_id, unread=count) for room_id, count in counts.items()])
