"""The JSON that the native API of rooms takes and returns."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from chat_service.edge import AccountView, RequestModel
from chat_service.rooms.model import (
    ADDRESS_HOLD_MAX,
    FILE_LIFETIME_MAX,
    INVITATION_LIFETIME,
    INVITATION_LIFETIME_MAX,
    INVITATION_USES_MAX,
    MUTE_MAX,
    Invitation,
    ListedRoom,
    RoomState,
)
from common.identity import Identity
from common.lookalikes.scripts import mixed_scripts
from common.passwords import PASSWORD_BYTES

Password = Annotated[str, Field(min_length=1, max_length=PASSWORD_BYTES)]
Seconds = Annotated[int, Field(ge=1, le=2**31 - 1)]
FileSeconds = Annotated[int, Field(ge=0, le=int(FILE_LIFETIME_MAX.total_seconds()))]
HoldSeconds = Annotated[int, Field(ge=1, le=int(ADDRESS_HOLD_MAX.total_seconds()))]
Role = Literal["owner", "moderator", "member"]


class RoomRequest(RequestModel):
    """A room to create. A private room without a password opens only to invitations; a public room has no password.

    `lifetime_seconds` is the lifetime of each message, and `capacity` the number of messages kept at the same time.
    `revoke_files` says whether links that were posted in the room are revoked when it is closed. A link is also revoked
    `file_lifetime_seconds` after its message has expired, unless that is null.

    In a private room, bans can hold more than an account: the invitation by which a banned member came ends if
    `bans_end_invitations`, and for `bans_hold_address_seconds` nobody may join from the address from which the member
    joined. For that, a digest of it is kept of each who joins, for 30 days at most.
    """

    name: str
    is_private: bool = False
    password: Password | None = None
    lifetime_seconds: Seconds | None = None
    capacity: Seconds | None = None
    revoke_files: bool = False
    file_lifetime_seconds: FileSeconds | None = None
    bans_end_invitations: bool = False
    bans_hold_address_seconds: HoldSeconds | None = None


class RoomChangesRequest(RequestModel):
    """The values to change. With `password` null, only invitations open the room.

    With `bans_hold_address_seconds` null, no address is held any more, and those of members are forgotten.
    """

    name: str = ""
    password: Password | None = None
    lifetime_seconds: Seconds = 1
    capacity: Seconds = 1
    revoke_files: bool = False
    file_lifetime_seconds: FileSeconds | None = None
    bans_end_invitations: bool = False
    bans_hold_address_seconds: HoldSeconds | None = None


class JoinRequest(RequestModel):
    """The key to a private room: its password or an invitation."""

    password: str | None = None
    invitation: Annotated[str, Field(max_length=256)] | None = None


class NamedJoinRequest(RequestModel):
    """A room by its name, with its password if it is private."""

    name: str
    password: str | None = None


class RoomView(BaseModel):
    """A room, and your role in it (null: you are not a member).

    `mixed_scripts` are those of a name that mixes some, as codes of ISO 15924.
    """

    id: int
    name: str
    mixed_scripts: tuple[str, ...]
    is_private: bool
    has_password: bool
    owner: UUID
    role: Role | None
    muted_until: datetime | None
    """The end of the time in which you may only read; null: you may write."""
    members: int
    lifetime_seconds: int
    capacity: int
    revoke_files: bool
    file_lifetime_seconds: int | None
    bans_end_invitations: bool
    bans_hold_address_seconds: int | None
    created_at: datetime

    @staticmethod
    def of(state: RoomState, identity: Identity) -> "RoomView":
        room, member = state.room, state.members.get(identity.account_id)
        return RoomView(
            id=room.id,
            name=room.name,
            mixed_scripts=mixed_scripts(room.name),
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
            bans_end_invitations=room.bans_end_invitations,
            bans_hold_address_seconds=room.bans_hold_address_seconds,
            created_at=room.created_at,
        )


class ListedRoomView(BaseModel):
    """A room in a list; `joined` says whether you are a member."""

    id: int
    name: str
    mixed_scripts: tuple[str, ...]
    is_private: bool
    owner: UUID
    joined: bool
    created_at: datetime

    @staticmethod
    def of(room: ListedRoom) -> "ListedRoomView":
        return ListedRoomView(
            id=room.id,
            name=room.name,
            mixed_scripts=mixed_scripts(room.name),
            is_private=room.is_private,
            owner=room.owner,
            joined=room.joined,
            created_at=room.created_at,
        )


class RoomPage(BaseModel):
    """Rooms, the oldest first. `next` is the `after` of the following page; null: this is the last one."""

    rooms: list[ListedRoomView]
    next: str | None


class MemberView(BaseModel):
    """A member of a room."""

    account: AccountView
    role: Role
    muted_until: datetime | None
    joined_at: datetime


class MemberPage(BaseModel):
    """Members, the oldest first."""

    members: list[MemberView]
    next: str | None


class MemberChanges(RequestModel):
    """The values to change. The role `owner` passes the room on. Null or 0 `muted_seconds` end a mute."""

    role: Role | None = None
    muted_seconds: Annotated[int, Field(ge=0, le=int(MUTE_MAX.total_seconds()))] | None = None


class BanList(BaseModel):
    """The accounts that were removed and may not come back, the latest first."""

    accounts: list[AccountView]


class InvitationRequest(RequestModel):
    """An invitation to make. `uses` is the number of accounts that may join by it; null: any number."""

    uses: Annotated[int, Field(ge=1, le=INVITATION_USES_MAX)] | None = None
    lifetime_seconds: Annotated[int, Field(ge=1, le=int(INVITATION_LIFETIME_MAX.total_seconds()))] = int(
        INVITATION_LIFETIME.total_seconds()
    )


class InvitationView(BaseModel):
    """An invitation to a room."""

    id: UUID
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    uses_left: int | None

    @staticmethod
    def of(invitation: Invitation) -> "InvitationView":
        return InvitationView(
            id=invitation.id,
            created_by=invitation.created_by,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
            uses_left=invitation.uses_left,
        )


class NewInvitation(InvitationView):
    """An invitation with its token, which is shown only once, and a link that keeps the token out of servers' logs."""

    token: str
    url: str


class InvitationList(BaseModel):
    """The newest invitations that still open the room."""

    invitations: list[InvitationView]
