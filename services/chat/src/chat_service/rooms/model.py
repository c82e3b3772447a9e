"""What a room is, who is in it, and what may be said there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from common.errors import Conflict, Forbidden, InvalidInput, NotFound, TooLarge
from common.identity import Identity
from common.rights import Actor, Standing

ROOM_ID_MAX = 2**63 - 1
INVITATION_USES_MAX = 100_000
INVITATION_LIFETIME = timedelta(days=7)
"""How long an invitation opens its room, unless whoever makes it says so."""
INVITATION_LIFETIME_MAX = timedelta(days=90)
MUTE_MAX = timedelta(days=365)
FILE_LIFETIME_MAX = timedelta(days=3650)
# What a closed room left is tried again to be taken away after this, when a sweep died or something was down.
CLEAN_AGAIN = timedelta(minutes=1)
# A row of a closed room is kept for what may still be under way: its id is answered as unknown either way.
KEEP_CLEANED = timedelta(days=1)


class RoomNotFound(NotFound):
    """There is no such room."""

    code = "room_not_found"


class RoomNameTaken(Conflict):
    """A room of this name exists already."""

    code = "room_name_taken"


class PublicRoomsFull(Conflict):
    """There are as many public rooms as may be."""

    code = "public_rooms_full"

    def __init__(self, limit: int) -> None:
        super().__init__(f"there are {limit} public rooms already, which is as many as may be")
        self.limit = limit


class RoomFull(Conflict):
    """As many are in the room as may be."""

    code = "room_full"


class NotAMember(Forbidden):
    """You are not in this room."""

    code = "not_a_member"


class Banned(Forbidden):
    """You were removed from this room."""

    code = "banned"


class Muted(Forbidden):
    """You may read here, but not write for now."""

    code = "muted"


class RoomPasswordMissing(Forbidden):
    """This room needs a password."""

    code = "room_password_missing"


class RoomPasswordWrong(Forbidden):
    """The password is wrong."""

    code = "room_password_wrong"


class InvitationUnknown(Forbidden):
    """This invitation opens the room no more, or never did."""

    code = "invitation_unknown"


class MemberNotFound(NotFound):
    """There is no such member in this room."""

    code = "member_not_found"


class RecipientNotFound(NotFound):
    """There is no such recipient."""

    code = "recipient_not_found"


class InboxMessageNotFound(NotFound):
    """There is no such message."""

    code = "message_not_found"


class TooManySent(Conflict):
    """You have sent as many messages as are kept; some have to be deleted first."""

    code = "too_many_sent"


class MessageEmpty(InvalidInput):
    """A message has a text."""

    code = "message_empty"


class MessageUnusable(InvalidInput):
    """A message is valid Unicode without NUL."""

    code = "message_unusable"


class MessageTooLarge(TooLarge):
    """The message is larger than the limit."""

    code = "message_too_large"


class MessageRefused(InvalidInput):
    """The message holds what is not allowed here."""

    code = "message_refused"


class MemberRole(StrEnum):
    OWNER = "owner"
    MODERATOR = "moderator"
    MEMBER = "member"


_RANK = {MemberRole.MEMBER: 0, MemberRole.MODERATOR: 1, MemberRole.OWNER: 2}
# The owner is known by the room itself.
_STANDING = {MemberRole.MODERATOR: Standing.MODERATOR, MemberRole.MEMBER: Standing.MEMBER}


@dataclass(frozen=True, slots=True)
class Room:
    """A room as it stands in the database. `version` counts every change of it and of its members."""

    id: int
    name: str
    is_private: bool
    password_hash: str | None
    owner: UUID
    lifetime_seconds: int
    capacity: int
    revoke_files: bool
    file_lifetime_seconds: int | None
    """How long after its message a file's share ends; None: by its own end alone."""
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """Someone in a room."""

    account_id: UUID
    role: MemberRole
    muted_until: datetime | None
    joined_at: datetime

    def is_muted(self, now: datetime) -> bool:
        return self.muted_until is not None and self.muted_until > now

    def outranks(self, other: "Member") -> bool:
        """Whether this member may remove or mute the other."""
        return _RANK[self.role] > _RANK[other.role]


@dataclass(frozen=True, slots=True)
class RoomState:
    """An open room with all its members, as it was at `room.version`."""

    room: Room
    members: Mapping[UUID, Member]

    def member(self, account_id: UUID) -> Member | None:
        return self.members.get(account_id)

    def actor(self, identity: Identity) -> Actor:
        """What the account is to the room, for `common.rights`."""
        return actor_in(self.room, self.members.get(identity.account_id), identity)


def actor_in(room: Room, member: Member | None, identity: Identity) -> Actor:
    """What an account is to a room."""
    if member:
        return Actor(identity, place=_STANDING.get(member.role))
    return Actor(identity, place=None if room.is_private else Standing.VISITOR)


@dataclass(frozen=True, slots=True)
class ListedRoom:
    """A room in a list, with what the account that lists it is to it."""

    id: int
    name: str
    is_private: bool
    owner: UUID
    joined: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewRoom:
    """A room that is to be. `lifetime_seconds` and `capacity` None: as the settings say."""

    name: str
    is_private: bool = False
    password: str | None = None
    lifetime_seconds: int | None = None
    capacity: int | None = None
    revoke_files: bool = False
    file_lifetime_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """What lets someone into a room. `uses_left` None: any number of uses."""

    id: UUID
    room_id: int
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    uses_left: int | None


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that is posted: what everyone sees of it. `size` in bytes; `type` a media type; `url` opens it."""

    name: str
    size: int
    type: str
    url: str

    def to_json(self) -> dict[str, str | int]:
        return {"name": self.name, "size": self.size, "type": self.type, "url": self.url}


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A direct message."""

    id: int
    sender: UUID
    recipient: UUID
    body: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PostedFile:
    """A share that was posted in a room. `message_id` None: its message is being posted."""

    room_id: int
    share_id: UUID
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the administrator allows. Times in seconds, sizes in bytes of UTF-8."""

    lifetime_seconds: int = 1800
    lifetime_max_seconds: int = 604_800
    capacity: int = 100
    capacity_max: int = 1000
    message_bytes: int = 16_384
    inbox_message_bytes: int = 16_384
    inbox_messages: int = 10_000
    """How many direct messages of one sender are kept."""
    public_rooms: int = 5
    room_members: int = 10_000


@dataclass(frozen=True, slots=True)
class RoomChanges:
    """New values of a room's fields, by their names."""

    values: Mapping[str, object] = field(default_factory=dict[str, object])


def heir(members: Mapping[UUID, Member]) -> Member | None:
    """Who becomes the owner when the present one goes: the oldest moderator, else the oldest member."""
    others = [member for member in members.values() if member.role is not MemberRole.OWNER]
    return min(others, key=lambda one: (-_RANK[one.role], one.joined_at, one.account_id), default=None)
