"""The names of accounts, and the addresses of their owners: what they may be, and what they are compared by."""

import unicodedata

from common.errors import InvalidInput

NAME_LENGTH = 255
EMAIL_LENGTH = 320
# What names are compared by may be longer than the name, and has to fit into an index.
KEY_BYTES = 2048

_JOINERS = "\u200c\u200d"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class NameUnusable(InvalidInput):
    """A name has 1 to 255 characters, none of them a control character or unseen."""

    code = "name_unusable"


class EmailUnusable(InvalidInput):
    """An e-mail address has 1 to 320 characters, none of them a control character."""

    code = "email_unusable"


def shown(name: str) -> str:
    """The name as it is shown from now on: in form NFC, without spaces around it. Raises `NameUnusable`."""
    # Before anything is done with it, so that a name of megabytes costs nothing.
    if len(name) > 4 * NAME_LENGTH or _has_unseen(name):
        raise NameUnusable
    name = unicodedata.normalize("NFC", name).strip()
    if not 0 < len(name) <= NAME_LENGTH or not 0 < len(key(name).encode()) <= KEY_BYTES:
        raise NameUnusable
    return name


def key(name: str) -> str:
    """What names are compared by: without case, and the same for all forms of a character (NFKC, UAX #31).

    The two joiners that some scripts need are left out: a name must not differ from another by what nobody sees.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", "".join(c for c in folded if c not in _JOINERS)).strip()


def lookup_key(name: str) -> str:
    """The key of a name that someone sends to sign in; empty, which no account has, when it cannot be a name."""
    try:
        return key(shown(name))
    except NameUnusable:
        return ""


def email(text: str) -> str:
    """An e-mail address as it is kept. It is only ever compared. Raises `EmailUnusable`."""
    text = text.strip()
    if not 0 < len(text) <= EMAIL_LENGTH or _has_unseen(text) or len(key(text).encode()) > KEY_BYTES:
        raise EmailUnusable
    return text


def _has_unseen(text: str) -> bool:
    return any(c not in _JOINERS and unicodedata.category(c) in _UNSEEN for c in text)
