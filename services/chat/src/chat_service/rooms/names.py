"""The names of rooms: what they may be, and what they are compared by."""

import unicodedata

from common.errors import InvalidInput

NAME_LENGTH = 100
# The two joiners that some scripts need are no control characters; nothing is told apart by them alone.
_JOINERS = "\u200c\u200d"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class RoomNameUnusable(InvalidInput):
    """A room's name has 1 to 100 characters, none of them a control character or unseen."""

    code = "room_name_unusable"


def shown(name: str) -> str:
    """The name as it is shown from now on: in form NFC, without spaces around it. Raises `RoomNameUnusable`."""
    # Before anything is done with it, so that a name of megabytes costs nothing.
    if len(name) > 8 * NAME_LENGTH:
        raise RoomNameUnusable
    name = unicodedata.normalize("NFC", name.strip())
    if not 0 < len(name) <= NAME_LENGTH or any(c not in _JOINERS and unicodedata.category(c) in _UNSEEN for c in name):
        raise RoomNameUnusable
    if not key(name):
        raise RoomNameUnusable
    return name


def key(name: str) -> str:
    """What names are compared by: without case, and the same for all forms of a character (NFKC, UAX #31)."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", "".join(c for c in folded if c not in _JOINERS)).strip()


def lookup_key(name: str) -> str:
    """The key of a name that someone looks for; empty, which no room has, when it cannot be a name."""
    try:
        return key(shown(name))
    except RoomNameUnusable:
        return ""
