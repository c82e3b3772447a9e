"""The calls that other services make."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from chat_service.edge import RoomId, context_of
from chat_service.erasing import erase_account
from chat_service.messages import posting
from chat_service.messages.model import SharedFile
from chat_service.rooms import finding
from common.http.internal import called_by
from common.identity import Identity, Role

# PostgreSQL cannot store a NUL character in a text.
Text = Annotated[str, Field(min_length=1, max_length=8192, pattern=r"^[^\x00]*$")]
NO_CREDENTIAL = UUID(int=0)

router = APIRouter(prefix="/internal", include_in_schema=False)


class MembershipRequest(BaseModel):
    """An account that may be a member of the room."""

    account_id: UUID


class MembershipAnswer(BaseModel):
    """Whether the account is a member."""

    member: bool


class FileOfMessage(BaseModel):
    """A file that a message carries. `size` in bytes."""

    name: Text
    size: Annotated[int, Field(ge=0)]
    type: Text
    url: Text


class PostRequest(BaseModel):
    """A message of an account that the caller has identified.

    `share_id` is the share that serves the file; it ends with the room if the room says so. The same share is posted
    only once, no matter how often this is asked.
    """

    account_id: UUID
    name: Text
    text: Annotated[str, Field(max_length=1024 * 1024)]
    file: FileOfMessage | None = None
    share_id: UUID | None = None


class PostAnswer(BaseModel):
    """The id of the message."""

    id: str


class Done(BaseModel):
    """An empty answer."""


@router.post("/rooms/{room_id}/membership", dependencies=[Depends(called_by("upload"))])
async def read_membership(request: Request, room_id: RoomId, asked: MembershipRequest) -> MembershipAnswer:
    """Whether an account is a member of a room. A room that does not exist has no members."""
    return MembershipAnswer(member=await finding.is_member(context_of(request), room_id, asked.account_id))


@router.post("/rooms/{room_id}/messages", dependencies=[Depends(called_by("upload"))])
async def post_message(request: Request, room_id: RoomId, asked: PostRequest) -> PostAnswer:
    """Post a message for an account, perhaps with a file."""
    context = context_of(request)
    identity = Identity(asked.account_id, asked.name, Role.USER, NO_CREDENTIAL, None)
    sent = asked.file
    file = sent and SharedFile(name=sent.name, size=sent.size, type=sent.type, url=sent.url, expires_at=None)
    if file and asked.share_id:
        share_id = asked.share_id
        return PostAnswer(
            id=await posting.post_file_once(context, identity, room_id, asked.text, file=file, share_id=share_id)
        )
    return PostAnswer(id=(await posting.post_message(context, identity, room_id, asked.text, file=file)).id)


@router.delete("/accounts/{account_id}", dependencies=[Depends(called_by("auth"))])
async def erase(request: Request, account_id: UUID) -> Done:
    """Erase everything that is stored of a deleted account. Asked again, it erases what was stored since."""
    await erase_account(context_of(request), account_id)
    return Done()
