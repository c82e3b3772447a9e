"""Who may do what with what belongs to someone: the one place that decides, for every service, protocol and verb.

What a code or a link gives (downloading what it names) is not decided here: who redeems it has shown what is needed.
"""

from dataclasses import dataclass
from enum import StrEnum, auto
from uuid import UUID

from common.errors import Forbidden, NotFound
from common.identity import Identity


class Action(StrEnum):
    """What can be done with a file, a share, an upload session or a room."""

    SEE = auto()
    """Know that it is there, and what its owner knows of it."""
    FETCH = auto()
    """Have the content without a code or a link."""
    EDIT = auto()
    SHARE = auto()
    DELETE = auto()
    ADOPT = auto()
    """Make it one's own."""
    CONTINUE = auto()
    """Send, complete or abort an upload."""
    READ = auto()
    """Hear what is said in a room, and who is in it."""
    WRITE = auto()
    """Say something in a room, and edit or delete what one has said."""
    INVITE = auto()
    MODERATE = auto()
    """Delete what others said, mute and remove them: those who are less in the room than oneself."""


class Standing(StrEnum):
    """What someone is to a thing."""

    OWNER = auto()
    ADMINISTRATOR = auto()
    KEY_HOLDER = auto()
    """Has shown the deletion key of a thing that is nobody's."""
    OWNED_KEY_HOLDER = auto()
    """Has shown the deletion key of a thing that is somebody's."""
    FINDER = auto()
    """Knows the id of a thing that is nobody's: the id is all there is to know."""
    MODERATOR = auto()
    """Keeps order in a room."""
    MEMBER = auto()
    """Is in a room."""
    VISITOR = auto()
    """Stands before a room that is open to everyone who is signed in."""
    STRANGER = auto()


_EVERYONE_INSIDE = frozenset({Standing.OWNER, Standing.MODERATOR, Standing.MEMBER})

RIGHTS: dict[Action, frozenset[Standing]] = {
    Action.SEE: _EVERYONE_INSIDE | {Standing.ADMINISTRATOR, Standing.VISITOR},
    Action.FETCH: frozenset({Standing.OWNER}),
    Action.EDIT: frozenset({Standing.OWNER}),
    Action.SHARE: frozenset({Standing.OWNER}),
    Action.DELETE: frozenset({Standing.OWNER, Standing.ADMINISTRATOR, Standing.KEY_HOLDER, Standing.OWNED_KEY_HOLDER}),
    Action.ADOPT: frozenset({Standing.OWNER, Standing.KEY_HOLDER}),
    Action.CONTINUE: frozenset({Standing.OWNER, Standing.FINDER}),
    Action.READ: _EVERYONE_INSIDE,
    Action.WRITE: _EVERYONE_INSIDE,
    Action.INVITE: frozenset({Standing.OWNER, Standing.MODERATOR}),
    Action.MODERATE: frozenset({Standing.OWNER, Standing.MODERATOR}),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: an account, or nobody; with the thing's deletion key, or without."""

    identity: Identity | None
    has_key: bool = False
    place: Standing | None = None
    """What the account is in a room: `MODERATOR`, `MEMBER`, or `VISITOR` of a public one."""


def standings(actor: Actor, owner: UUID | None) -> frozenset[Standing]:
    """All that `actor` is to a thing of `owner`; None: nobody's."""
    found: set[Standing] = {Standing.STRANGER}
    if actor.identity and actor.identity.is_administrator:
        found.add(Standing.ADMINISTRATOR)
    if owner is None:
        found.add(Standing.FINDER)
    elif actor.identity and actor.identity.account_id == owner:
        found.add(Standing.OWNER)
    if actor.identity and actor.place:
        found.add(actor.place)
    if actor.has_key:
        found.add(Standing.KEY_HOLDER if owner is None else Standing.OWNED_KEY_HOLDER)
    return frozenset(found)


def permitted(action: Action, actor: Actor, owner: UUID | None) -> bool:
    """Whether `actor` may do this with a thing of `owner`."""
    return not RIGHTS[action].isdisjoint(standings(actor, owner))


def require(action: Action, actor: Actor, owner: UUID | None) -> None:
    """Raise unless it is permitted: `NotFound` to who may not even know of the thing, else `Forbidden`."""
    if permitted(action, actor, owner):
        return
    if permitted(Action.SEE, actor, owner):
        raise Forbidden
    raise NotFound
