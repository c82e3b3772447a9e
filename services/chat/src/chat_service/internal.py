"""What the other services ask of this one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from chat_service import erasing
from chat_service.edge import state_of
from chat_service.messages import files
from chat_service.messages import posting as messages
from chat_service.rooms import creating as rooms
from chat_service.rooms.api.schemas import RoomId
from chat_service.rooms.model import SharedFile
from common.http.internal import internal_only
from common.identity import Identity, Role
from common.tokens.services import TokenVerifier

# PostgreSQL cannot keep a NUL in a text.
Text = Annotated[str, Field(min_length=1, max_length=8192, pattern=r"^[^\x00]*$")]
NOBODY = UUID(int=0)


class MembershipRequest(BaseModel):
    """Who may or may not be in a room."""

    account_id: UUID


class MembershipAnswer(BaseModel):
    """Whether they are."""

    member: bool


class FileOfMessage(BaseModel):
    """A file that a message carries. `size` in bytes."""

    name: Text
    size: Annotated[int, Field(ge=0)]
    type: Text
    url: Text


class PostRequest(BaseModel):
    """A message of an account that the caller has identified.

    `share_id`: the share that serves the file, and which ends with the room if the room says so. The same share is
    posted once, however often this is asked.
    """

    account_id: UUID
    name: Text
    text: Annotated[str, Field(max_length=1024 * 1024)]
    file: FileOfMessage | None = None
    share_id: UUID | None = None


class PostAnswer(BaseModel):
    """The message."""

    id: str


class Done(BaseModel):
    """Nothing more to say."""


def routes(verifier: TokenVerifier) -> APIRouter:
    """The routes, each for one service."""
    router = APIRouter(prefix="/internal", include_in_schema=False)
    for_upload = [Depends(internal_only(lambda: verifier, "upload"))]
    for_auth = [Depends(internal_only(lambda: verifier, "auth"))]
    room = "/rooms/{room_id}"
    router.add_api_route(f"{room}/membership", read_membership, methods=["POST"], dependencies=for_upload)
    router.add_api_route(f"{room}/messages", post_message, methods=["POST"], dependencies=for_upload)
    router.add_api_route("/accounts/{account_id}", erase_account, methods=["DELETE"], dependencies=for_auth)
    return router


async def read_membership(request: Request, room_id: RoomId, asked: MembershipRequest) -> MembershipAnswer:
    """Whether an account is in a room; of a room that does not exist nobody is a member."""
    return MembershipAnswer(member=await rooms.is_member(state_of(request).context, room_id, asked.account_id))


async def post_message(request: Request, room_id: RoomId, asked: PostRequest) -> PostAnswer:
    """Post for an account, perhaps a file."""
    context = state_of(request).context
    identity = Identity(asked.account_id, asked.name, Role.USER, NOBODY, None)
    file = SharedFile(**asked.file.model_dump()) if asked.file else None
    if file and asked.share_id:
        posted = await files.post_file_once(context, identity, room_id, asked.text, file=file, share_id=asked.share_id)
        return PostAnswer(id=posted)
    return PostAnswer(id=(await messages.post_message(context, identity, room_id, asked.text, file=file)).id)


async def erase_account(request: Request, account_id: UUID) -> Done:
    """Erase all that is kept of an account that is gone; asked again, what was made meanwhile."""
    await erasing.erase_account(state_of(request).context, account_id)
    return Done()
