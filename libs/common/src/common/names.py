"""The names of files, cleaned once: where they enter the system.

A client may join a name to a folder, so what is kept is no path and has no control characters. Everything else stays as
it was sent: Unicode, spaces, dots, and names that Windows reserves.
"""

import unicodedata

from common.downloads import NAME_LIMIT, shortened
from common.errors import InvalidInput

SENT_LIMIT = 8192
"""The most bytes (UTF-8) of a name as it is sent."""
UNNAMED = "unnamed"
"""The name of a file whose sent name has nothing to keep, such as `..`."""

# Control characters, and the separators of lines and of paragraphs.
_CONTROLS = ("Cc", "Zl", "Zp")


def clean_name(sent: str) -> str:
    """The name to keep: the last component of `sent`, cut to `NAME_LIMIT` bytes; cleaning it again changes nothing.

    Raises `InvalidInput` if it is empty, longer than `SENT_LIMIT`, or no text that can be stored.
    """
    try:
        size = len(sent.encode())
    except UnicodeEncodeError:
        raise InvalidInput("the file name is not valid Unicode") from None
    if "\0" in sent or not 0 < size <= SENT_LIMIT:
        raise InvalidInput(f"a file name has 1 to {SENT_LIMIT} bytes and no NUL")
    return last_component(sent) or UNNAMED


def last_component(path: str) -> str:
    """The last component of a path with separators of any system, cleaned; empty when nothing is left of it.

    Names of dots and spaces alone count as nothing, because Windows reads them like `.` and `..`.
    """
    last = path.replace("\\", "/").rpartition("/")[2]
    kept = shortened("".join(_without_control(character) for character in last), NAME_LIMIT)
    return kept if kept.strip(" .") else ""


def _without_control(character: str) -> str:
    if unicodedata.category(character) not in _CONTROLS:
        return character
    return " " if character.isspace() else ""
