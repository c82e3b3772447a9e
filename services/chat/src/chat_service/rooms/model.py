"""Rooms, their members and invitations, and the rules about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from chat_service.streams import RoomTerms
from common.errors import Conflict, Forbidden, NotFound
from common.identity import Identity
from common.rights import Action, Actor, Standing, permitted, require

INVITATION_USES_MAX = 100_000
INVITATION_LIFETIME = timedelta(days=7)
"""The lifetime of an invitation whose maker names none."""
INVITATION_LIFETIME_MAX = timedelta(days=90)
MUTE_MAX = timedelta(days=365)
ADDRESS_HOLD_MAX = timedelta(days=30)
"""The longest time for which a ban holds an address, and for which the address of a member is remembered."""
FILE_LIFETIME_MAX = timedelta(days=3650)


class RoomNotFound(NotFound):
    """There is no such room."""

    code = "room_not_found"


class RoomNameTaken(Conflict):
    """There is already a room with this name."""

    code = "room_name_taken"


class PublicRoomsFull(Conflict):
    """There are already as many public rooms as are allowed."""

    code = "public_rooms_full"

    def __init__(self, limit: int) -> None:
        super().__init__(f"there are already {limit} public rooms, and no more are allowed")
        self.limit = limit


class TooManyRooms(Conflict):
    """You own as many rooms, or as many public ones, as is allowed; close some first."""

    code = "too_many_rooms"


class RoomFull(Conflict):
    """This room already has as many members as are allowed."""

    code = "room_full"


class NotAMember(Forbidden):
    """You are not a member of this room."""

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
    """This invitation does not open the room, or no longer does."""

    code = "invitation_unknown"


class InvitationNotFound(NotFound):
    """There is no such invitation."""

    code = "invitation_not_found"


class MemberNotFound(NotFound):
    """There is no such member in this room."""

    code = "member_not_found"


class BanNotFound(NotFound):
    """This account is not banned from the room."""

    code = "ban_not_found"


class MemberRole(StrEnum):
    OWNER = "owner"
    MODERATOR = "moderator"
    MEMBER = "member"


_RANK = {MemberRole.MEMBER: 0, MemberRole.MODERATOR: 1, MemberRole.OWNER: 2}
# `common.rights` finds the owner by the room's own field.
_STANDING = {MemberRole.MODERATOR: Standing.MODERATOR, MemberRole.MEMBER: Standing.MEMBER}


@dataclass(frozen=True, slots=True)
class Room:
    """A room as the database has it. `version` counts every change of it and of its members."""

    id: int
    name: str
    is_private: bool
    password_hash: str | None
    owner: UUID
    lifetime_seconds: int
    capacity: int
    revoke_files: bool
    file_lifetime_seconds: int | None
    """How long after its message has expired a file's share ends; None: the room does not end it."""
    bans_end_invitations: bool
    """Whether the invitation by which a banned member came ends with the ban."""
    bans_hold_address_seconds: int | None
    """How long nobody may join from the address from which a banned member came; None: not at all."""
    version: int
    created_at: datetime

    @property
    def terms(self) -> RoomTerms:
        return RoomTerms(self.id, self.version, timedelta(seconds=self.lifetime_seconds), self.capacity)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a room."""

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
class Way:
    """The way by which a member came into a room."""

    invitation_id: UUID | None = None
    address_digest: bytes | None = None
    """None: the room's bans hold no addresses."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The outcome of an attempt to join. An account that is neither banned nor added had no valid invitation."""

    is_banned: bool
    is_added: bool


@dataclass(frozen=True, slots=True)
class RoomState:
    """An open room with all its members, as it was at `room.version`."""

    room: Room
    members: Mapping[UUID, Member]
    kept_since: int | None = None
    """All who were members at this version or a later one still are; None: not known."""

    def keeps(self, before: "RoomState") -> bool:
        """Whether all who were members at an earlier version still are."""
        if self.kept_since is not None and self.kept_since <= before.room.version:
            return True
        return before.members.keys() <= self.members.keys()

    def may(self, action: Action, identity: Identity) -> bool:
        """Whether the account may do this in the room."""
        return permitted(action, self._actor(identity), self.room.owner)

    def demand(self, action: Action, identity: Identity) -> None:
        """Raise unless the account may do this in the room.

        Raises `RoomNotFound` for accounts that are not allowed to know of the room, `NotAMember` for others that are
        not in it, and `Forbidden` for its members.
        """
        try:
            require(action, self._actor(identity), self.room.owner)
        except NotFound:
            raise RoomNotFound from None
        except Forbidden:
            if identity.account_id not in self.members:
                raise NotAMember from None
            raise

    def demand_writing(self, identity: Identity, now: datetime, *, even_muted: bool = False) -> None:
        """Raise unless the account may write in the room at the moment `now`: the errors of `demand`, and `Muted`."""
        self.demand(Action.WRITE, identity)
        if not even_muted and self.members[identity.account_id].is_muted(now):
            raise Muted

    def _actor(self, identity: Identity) -> Actor:
        member = self.members.get(identity.account_id)
        if member:
            return Actor(identity, place=_STANDING.get(member.role))
        return Actor(identity, place=None if self.room.is_private else Standing.VISITOR)


@dataclass(frozen=True, slots=True)
class ListedRoom:
    """A room in a list; `joined` says whether the account that asked is a member."""

    id: int
    name: str
    is_private: bool
    owner: UUID
    joined: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewRoom:
    """A room to create. Where `lifetime_seconds` or `capacity` is None, the settings decide."""

    name: str
    is_private: bool = False
    password: str | None = None
    lifetime_seconds: int | None = None
    capacity: int | None = None
    revoke_files: bool = False
    file_lifetime_seconds: int | None = None
    bans_end_invitations: bool = False
    bans_hold_address_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class RoomChanges:
    """New values for some of a room's fields, by the fields' names."""

    values: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Invitation:
    """A way into a room without its password. `uses_left` None: any number of uses."""

    id: UUID
    room_id: int
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    uses_left: int | None


@dataclass(frozen=True, slots=True)
class PostedFile:
    """A share that was posted in a room. `message_id` None: its message is being posted."""

    room_id: int
    share_id: UUID
    message_id: str | None


def heir(members: Mapping[UUID, Member]) -> Member | None:
    """The next owner when the present one leaves: the oldest moderator, or else the oldest member."""
    others = [member for member in members.values() if member.role is not MemberRole.OWNER]
    return min(others, key=lambda one: (-_RANK[one.role], one.joined_at, one.account_id), default=None)
