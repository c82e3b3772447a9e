"""The names of accounts and the e-mail addresses of their owners: what is allowed, and how they are compared."""

import unicodedata

from common.errors import InvalidInput
from common.lookalikes import JOINERS, has_invisible, skeleton

NAME_LENGTH = 255
EMAIL_LENGTH = 320
# The key that names are compared by may be longer than the name, and has to fit into an index.
KEY_BYTES = 2048
RESERVED = (
    *("admin", "administrator", "root", "system", "moderator", "support", "staff", "security", "waystation"),
    *("deleted account", "deleted user", "anonymous", "everyone"),
)
"""Names that only the first administrator may have, because others would believe who has them."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_RESERVED = frozenset(skeleton(form) for name in RESERVED for form in (name, name.upper(), name.title()))


class NameUnusable(InvalidInput):
    """A name has 1 to 255 characters, none of them a control character or an invisible one."""

    code = "name_unusable"


class EmailUnusable(InvalidInput):
    """An e-mail address has 1 to 320 characters, none of them a control character."""

    code = "email_unusable"


def shown(name: str) -> str:
    """The name as it is stored and shown: in form NFC, without spaces around it. Raises `NameUnusable`."""
    # The length comes first, so that a name of megabytes costs nothing.
    if len(name) > 4 * NAME_LENGTH or has_invisible(name):
        raise NameUnusable
    return _stored(name)


def is_reserved(name: str) -> bool:
    """Whether a name is reserved, or looks like one that is."""
    return skeleton(name) in _RESERVED or skeleton(key(name)) in _RESERVED


def key(name: str) -> str:
    """The key that names are compared by: it ignores case and the form of each character (NFKC, UAX #31).

    It leaves out the two joiners that some scripts need: two names must not differ only in characters that nobody sees.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", "".join(c for c in folded if c not in JOINERS)).strip()


def lookup_key(name: str) -> str:
    """The key of a name that a client sent. A text that cannot be a name gives an empty key, which no account has.

    Accounts keep names that were allowed once, such as those with characters that nobody sees.
    """
    try:
        return key(_stored(name))
    except NameUnusable:
        return ""


def email(text: str) -> str:
    """An e-mail address as it is stored; nothing is ever sent to it. Raises `EmailUnusable`."""
    text = text.strip()
    if not 0 < len(text) <= EMAIL_LENGTH or _has_control(text) or len(key(text).encode()) > KEY_BYTES:
        raise EmailUnusable
    return text


def _stored(name: str) -> str:
    if len(name) > 4 * NAME_LENGTH or _has_control(name):
        raise NameUnusable
    name = unicodedata.normalize("NFC", name).strip()
    if not 0 < len(name) <= NAME_LENGTH or not 0 < len(key(name).encode()) <= KEY_BYTES:
        raise NameUnusable
    return name


def _has_control(text: str) -> bool:
    return any(c not in JOINERS and unicodedata.category(c) in _INVISIBLE for c in text)
