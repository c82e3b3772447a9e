"""The names of rooms: which ones are allowed, and when two are the same."""

import unicodedata

from common.errors import InvalidInput
from common.lookalikes import JOINERS, has_invisible

NAME_LENGTH = 100
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class RoomNameUnusable(InvalidInput):
    """A room's name has 1 to 100 characters, none of which are control characters or invisible."""

    code = "room_name_unusable"


def shown(name: str) -> str:
    """The name as it is stored and shown: in form NFC, without spaces around it. Raises `RoomNameUnusable`."""
    # The length comes first, so that a name of megabytes costs nothing.
    if len(name) > 8 * NAME_LENGTH or has_invisible(name.strip()):
        raise RoomNameUnusable
    return _stored(name)


def key(name: str) -> str:
    """The key by which names are compared: case-folded, with one form for each character (NFKC, UAX #31)."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", "".join(c for c in folded if c not in JOINERS)).strip()


def lookup_key(name: str) -> str:
    """The key of a name to look for. For an impossible name it is empty, which is no room's key.

    Rooms keep names that were allowed once, such as those with characters that nobody sees.
    """
    try:
        return key(_stored(name))
    except RoomNameUnusable:
        return ""


def _stored(name: str) -> str:
    if len(name) > 8 * NAME_LENGTH:
        raise RoomNameUnusable
    name = unicodedata.normalize("NFC", name.strip())
    if not 0 < len(name) <= NAME_LENGTH or any(c not in JOINERS and unicodedata.category(c) in _UNSEEN for c in name):
        raise RoomNameUnusable
    if not key(name):
        raise RoomNameUnusable
    return name
