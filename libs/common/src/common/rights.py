"""Rights: the only place that decides who may do what, for every service and protocol.

Downloads by a code or a link are not decided here, because everyone who knows the code or link may download.
"""

from dataclasses import dataclass
from enum import StrEnum, auto
from uuid import UUID

from common.errors import Forbidden, NotFound
from common.identity import Identity


class Action(StrEnum):
    """An action on a file, a share, an upload session or a room."""

    SEE = auto()
    """Know that it exists, and see its details."""
    FETCH = auto()
    """Download the content without a code or a link."""
    EDIT = auto()
    SHARE = auto()
    DELETE = auto()
    ADOPT = auto()
    """Become its owner."""
    CONTINUE = auto()
    """Send, complete or abort an upload."""
    READ = auto()
    """Read the messages of a room, and see its members."""
    WRITE = auto()
    """Post in a room, and edit or delete own messages."""
    INVITE = auto()
    MODERATE = auto()
    """Delete the messages of members of a lower role, mute and remove them."""
    ADMINISTER = auto()
    """See and change everybody's shares and the policy, and read the audit log."""


class Standing(StrEnum):
    """The relation between an actor and a thing."""

    OWNER = auto()
    ADMINISTRATOR = auto()
    KEY_HOLDER = auto()
    """Has shown the deletion key of a thing without an owner."""
    OWNED_KEY_HOLDER = auto()
    """Has shown the deletion key of a thing that has an owner."""
    SENDER = auto()
    """Has shown the key that the sender of a share got."""
    FINDER = auto()
    """Knows the id of a thing without an owner; nothing more is needed."""
    MODERATOR = auto()
    """Moderates the room."""
    MEMBER = auto()
    """Is a member of the room."""
    VISITOR = auto()
    """Is signed in, and the room is public."""
    STRANGER = auto()


_EVERYONE_INSIDE = frozenset({Standing.OWNER, Standing.MODERATOR, Standing.MEMBER})

RIGHTS: dict[Action, frozenset[Standing]] = {
    Action.SEE: _EVERYONE_INSIDE | {Standing.ADMINISTRATOR, Standing.VISITOR, Standing.SENDER},
    Action.FETCH: frozenset({Standing.OWNER}),
    Action.EDIT: frozenset({Standing.OWNER, Standing.SENDER}),
    Action.SHARE: frozenset({Standing.OWNER}),
    Action.DELETE: frozenset(
        {Standing.OWNER, Standing.ADMINISTRATOR, Standing.KEY_HOLDER, Standing.OWNED_KEY_HOLDER, Standing.SENDER}
    ),
    Action.ADOPT: frozenset({Standing.OWNER, Standing.KEY_HOLDER}),
    Action.CONTINUE: frozenset({Standing.OWNER, Standing.FINDER}),
    Action.READ: _EVERYONE_INSIDE,
    Action.WRITE: _EVERYONE_INSIDE,
    Action.INVITE: frozenset({Standing.OWNER, Standing.MODERATOR}),
    Action.MODERATE: frozenset({Standing.OWNER, Standing.MODERATOR}),
    Action.ADMINISTER: frozenset({Standing.ADMINISTRATOR}),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller: an account or a guest, with or without the thing's deletion key."""

    identity: Identity | None
    has_key: bool = False
    place: Standing | None = None
    """The account's place in the room: `MODERATOR`, `MEMBER`, or `VISITOR` of a public room."""
    is_sender: bool = False
    """Whether it has shown the key that the sender of the share got."""


def standings(actor: Actor, owner: UUID | None) -> frozenset[Standing]:
    """All relations of `actor` to a thing of `owner` (None if it has no owner)."""
    found: set[Standing] = {Standing.STRANGER}
    if actor.identity and actor.identity.is_administrator:
        found.add(Standing.ADMINISTRATOR)
    if owner is None:
        found.add(Standing.FINDER)
    elif actor.identity and actor.identity.account_id == owner:
        found.add(Standing.OWNER)
    if actor.identity and actor.place:
        found.add(actor.place)
    if actor.is_sender:
        found.add(Standing.SENDER)
    if actor.has_key:
        found.add(Standing.KEY_HOLDER if owner is None else Standing.OWNED_KEY_HOLDER)
    return frozenset(found)


def permitted(action: Action, actor: Actor, owner: UUID | None) -> bool:
    """Whether `actor` may do `action` to a thing of `owner`."""
    return not RIGHTS[action].isdisjoint(standings(actor, owner))


def require(action: Action, actor: Actor, owner: UUID | None) -> None:
    """Raise an error unless `actor` may do `action` to a thing of `owner`.

    Raises `NotFound` if the actor may not even know that the thing exists, else `Forbidden`.
    """
    if permitted(action, actor, owner):
        return
    if permitted(Action.SEE, actor, owner):
        raise Forbidden
    raise NotFound
