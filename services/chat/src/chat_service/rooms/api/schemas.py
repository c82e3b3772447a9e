"""What the native API of rooms takes and gives."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, Field

from chat_service.rooms.model import (
    FILE_LIFETIME_MAX,
    INVITATION_LIFETIME,
    INVITATION_LIFETIME_MAX,
    INVITATION_USES_MAX,
    MUTE_MAX,
    ROOM_ID_MAX,
    ListedRoom,
    RoomState,
)
from common.errors import InvalidInput
from common.identity import Identity
from common.pages import PAGE_LIMIT
from common.passwords import PASSWORD_BYTES

RoomId = Annotated[int, Path(ge=1, le=ROOM_ID_MAX)]
Limit = Annotated[int, Query(ge=1, le=PAGE_LIMIT)]
After = Annotated[str | None, Query(description="`next` of the page before")]
Password = Annotated[str, Field(min_length=1, max_length=PASSWORD_BYTES)]
Seconds = Annotated[int, Field(ge=1, le=2**31 - 1)]
FileSeconds = Annotated[int, Field(ge=0, le=int(FILE_LIFETIME_MAX.total_seconds()))]
Role = Literal["owner", "moderator", "member"]


class Asked(BaseModel):
    """A body of which nothing is ignored."""

    model_config = {"extra": "forbid"}


class RoomRequest(Asked):
    """A room that is to be. Without a password, only invitations open a private one; a public one has none.

    `lifetime_seconds`: how long a message lives; `capacity`: how many live at once. `revoke_files`: whether the links
    posted in it end when it is closed; `file_lifetime_seconds`: how long after its message a link ends, null: by its
    own end alone.
    """

    name: str
    is_private: bool = False
    password: Password | None = None
    lifetime_seconds: Seconds | None = None
    capacity: Seconds | None = None
    revoke_files: bool = False
    file_lifetime_seconds: FileSeconds | None = None


class RoomChangesRequest(Asked):
    """What is to be different. `password` null: only invitations open the room."""

    name: str = ""
    password: Password | None = None
    lifetime_seconds: Seconds = 1
    capacity: Seconds = 1
    revoke_files: bool = False
    file_lifetime_seconds: FileSeconds | None = None


class JoinRequest(Asked):
    """What opens a private room."""

    password: str | None = None
    invitation: Annotated[str, Field(max_length=256)] | None = None


class NamedJoinRequest(Asked):
    """A room by its name, with its password if it is private."""

    name: str
    password: str | None = None


class RoomView(BaseModel):
    """A room, and what the account is in it (`role`; null: not in it)."""

    id: int
    name: str
    is_private: bool
    has_password: bool
    owner: UUID
    role: Role | None
    muted_until: datetime | None
    """Until when the account may only read; null: it may write."""
    members: int
    lifetime_seconds: int
    capacity: int
    revoke_files: bool
    file_lifetime_seconds: int | None
    created_at: datetime

    @staticmethod
    def of(state: RoomState, identity: Identity) -> "RoomView":
        room, member = state.room, state.members.get(identity.account_id)
        return RoomView(
            id=room.id,
            name=room.name,
            is_private=room.is_private,
            has_password=room.password_hash is not None,
            owner=room.owner,
            role=member.role.value if member else None,
            muted_until=member.muted_until if member else None,
            members=len(state.members),
            lifetime_seconds=room.lifetime_seconds,
            capacity=room.capacity,
            revoke_files=room.revoke_files,
            file_lifetime_seconds=room.file_lifetime_seconds,
            created_at=room.created_at,
        )


class ListedRoomView(BaseModel):
    """A room in a list; `joined`: whether the account is in it."""

    id: int
    name: str
    is_private: bool
    owner: UUID
    joined: bool
    created_at: datetime

    @staticmethod
    def of(room: ListedRoom) -> "ListedRoomView":
        return ListedRoomView(
            id=room.id,
            name=room.name,
            is_private=room.is_private,
            owner=room.owner,
            joined=room.joined,
            created_at=room.created_at,
        )


class RoomPage(BaseModel):
    """Rooms, the oldest first. `next`: what to give as `after` for those that follow; null at the end."""

    rooms: list[ListedRoomView]
    next: str | None


class AccountView(BaseModel):
    """An account; `name` null: it is gone."""

    id: UUID
    name: str | None
    avatar_url: str | None


class MemberView(BaseModel):
    """Somebody in a room."""

    account: AccountView
    role: Role
    muted_until: datetime | None
    joined_at: datetime


class MemberPage(BaseModel):
    """Members, those who are there the longest first."""

    members: list[MemberView]
    next: str | None


class MemberChanges(Asked):
    """What is to be different. The role `owner` passes the room on. `muted_seconds` null or 0: may write again."""

    role: Role | None = None
    muted_seconds: Annotated[int, Field(ge=0, le=int(MUTE_MAX.total_seconds()))] | None = None


class BanList(BaseModel):
    """Who was removed and may not come back, the latest first."""

    accounts: list[AccountView]


class InvitationRequest(Asked):
    """`uses`: how many may join by it; null: any number."""

    uses: Annotated[int, Field(ge=1, le=INVITATION_USES_MAX)] | None = None
    lifetime_seconds: Annotated[int, Field(ge=1, le=int(INVITATION_LIFETIME_MAX.total_seconds()))] = int(
        INVITATION_LIFETIME.total_seconds()
    )


class InvitationView(BaseModel):
    """What lets someone into a room."""

    id: UUID
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    uses_left: int | None


class NewInvitation(InvitationView):
    """An invitation with what is told once: its token, and a link that holds it where no server logs it."""

    token: str
    url: str


class InvitationList(BaseModel):
    """The newest invitations that still open the room."""

    invitations: list[InvitationView]


class MessageRequest(Asked):
    """Something to say. `reply_to`: the id of a message. `share_id`: a link of one's own to a file, which the message
    carries; its text may then be left out, and is the link.
    """

    text: str = ""
    reply_to: Annotated[str, Field(max_length=64)] | None = None
    share_id: UUID | None = None


class TextRequest(Asked):
    """Another text for a message."""

    text: str


class FileView(BaseModel):
    """A file that a message carries. `size` in bytes."""

    name: str
    size: int
    type: str
    url: str


class MessageView(BaseModel):
    """A message. Its text is as it was sent: a page that shows it has to take it for text."""

    id: str
    author: UUID
    name: str
    """What the author was called."""
    text: str
    created_at: datetime
    edited: bool
    reply_to: str | None
    file: FileView | None


class MessageList(BaseModel):
    """The living messages of a room, the oldest first."""

    messages: list[MessageView]


class InboxRequest(Asked):
    """A direct message to the account of the name `recipient`."""

    recipient: str
    message: str


class InboxView(BaseModel):
    """A direct message, sent or received."""

    id: int
    sender: AccountView
    recipient: AccountView
    message: str
    created_at: datetime


class InboxPage(BaseModel):
    """Direct messages, the newest first."""

    messages: list[InboxView]
    next: str | None


def number_of(after: str | None, otherwise: int) -> int:
    """The id that a page ended with. Raises `InvalidInput`."""
    if after is None:
        return otherwise
    if not (after.isascii() and after.isdecimal() and len(after) <= 19) or int(after) > ROOM_ID_MAX:
        raise InvalidInput("the cursor is none that a list gave")
    return int(after)


def next_of(found: list[Any], limit: int) -> str | None:
    """What a page of `limit` of the `found` ends with; None: there is nothing more."""
    return str(found[limit - 1].id) if len(found) > limit else None
