"""Shares: their states, their names, and when they end."""

import re
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from common.errors import Conflict, Gone, InvalidInput, NotFound, Unavailable
from common.ids import CODE_ALPHABET

CODE_LENGTH = 5
CODE_ATTEMPTS = 20
# Four of 2,048 words have 44 bits.
WORD_COUNT = 4
SHORTEST_CODE, LONGEST_CODE = 3, 64
_CHOSEN = re.compile(rf"[A-Za-z0-9_-]{{{SHORTEST_CODE},{LONGEST_CODE}}}", re.ASCII)
_RESERVED = """
ABOUT ADMIN ADMINISTRATOR API APP ASSETS AUTH CODE CODES CONFIG DOCS DROP DROPS FILE FILES HEALTH HELP HOME INDEX
INTERNAL LOGIN LOGOUT METRICS NULL OPENAPI PAGE PAGES POLICY REGISTER ROBOTS ROOM ROOMS ROOT SEND SETTINGS SHARE
SHARES SITE STATIC STATUS SUPPORT SYSTEM TEXT UNDEFINED UPLOAD UPLOADS USER USERS WELL-KNOWN
"""
RESERVED = frozenset(_RESERVED.split())
"""Codes that nobody may choose, because people would take them for the system's own."""
# The name of a link has 60 bits, so guesses need not be counted. There is no zero, which reads like an O.
LINK_LENGTH = 10
LINK_ALPHABET = string.ascii_letters + "123456789-+="
# The slug of a page has 62 bits, so guesses need not be counted.
SLUG_LENGTH = 12
SLUG_ALPHABET = string.ascii_lowercase + string.digits
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,16}", re.ASCII)
_LINK = re.compile(rf"[A-Za-z1-9+=-]{{{LINK_LENGTH}}}({_EXTENSION.pattern})?", re.ASCII)
_SLUG = re.compile(rf"[a-z0-9]{{{SLUG_LENGTH}}}", re.ASCII)

LEASE_LIFETIME = timedelta(hours=1)
# A released share is kept this long, so that its code is answered as expired rather than as unknown.
KEEP_RELEASED = timedelta(hours=24)
# Clients ask for longer what has become of a page.
KEEP_PAGES = timedelta(days=30)
# A release that failed, or whose sweep died, is tried again after this.
RELEASE_AGAIN = timedelta(minutes=1)

ShareKind = Literal["code", "link", "page"]
"""code: short, typed by people, guesses are counted. link and page: long, impossible to guess."""
PLACES: dict[ShareKind, str] = {"code": "/c", "link": "/f", "page": "/m"}
"""The start of a share's path."""
ContentKind = Literal["file", "text", "items"]
"""items: any number of files and texts, which are rows of their own."""
State = Literal["active", "spent", "ended", "released"]
"""active: can be redeemed. spent: the last use is taken, running downloads may resume until their leases are over.
ended: nothing is served any more, the file has to be released. released: the file has been given back."""
EndedFor = Literal["owner", "administrator", "copyright"]
"""The person or the reason that ended a share before its time."""


_ENDINGS: dict[EndedFor | None, str] = {
    "owner": "The share was ended by its owner.",
    "administrator": "The share was ended by an administrator.",
    "copyright": "The share was ended for reasons of copyright.",
}


class UnknownCode(NotFound):
    """No share has this code."""

    code = "unknown_code"


class ShareEnded(Gone):
    """The share has ended."""

    code = "share_ended"

    def __init__(self, ended_for: EndedFor | None = None) -> None:
        """`ended_for` is None if its time is over, its uses are taken, or the reason is unknown."""
        super().__init__(_ENDINGS.get(ended_for))
        self.ended_for: EndedFor | None = ended_for


class CodeTaken(Conflict):
    """Another share has this code."""

    code = "code_taken"


class CodeRefused(InvalidInput):
    """This code cannot be chosen."""

    code = "code_refused"

    def __init__(self, shortest: int) -> None:
        super().__init__(
            f"a code has {shortest} to {LONGEST_CODE} letters, digits, hyphens or underscores, "
            "and is none of the system's own words"
        )


class CodesCrowded(Unavailable):
    """So many codes are taken that no free one was found."""

    code = "codes_crowded"


@dataclass(frozen=True, slots=True)
class Share:
    """A share as it is stored."""

    id: UUID
    number: int
    """Its id for clients that know only numbers."""
    kind: ShareKind
    code: str
    """The code, the name of the link, or the slug of the page."""
    content_kind: ContentKind
    owner: UUID | None
    """None: it belongs to nobody."""
    password_hash: str | None
    """None: it has no password of its own, but its file may have one."""
    file_id: UUID | None
    name: str
    size: int
    """In bytes."""
    body: str | None
    state: State
    expires_at: datetime | None
    uses_left: int | None
    """None: any number."""
    used_count: int
    created_at: datetime
    ended_for: EndedFor | None
    """None: it has not ended, or nobody ended it."""
    title: str | None = None
    message: str | None = None
    """A text for those who fetch it."""
    drop_id: UUID | None = None
    """The drop-off by which it was sent."""

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over, regardless of its state."""
        return self.expires_at is not None and self.expires_at <= now

    def is_redeemable(self, now: datetime) -> bool:
        """Whether a use can be taken."""
        return self.state == "active" and not self.is_over(now)

    def is_resumable(self, now: datetime) -> bool:
        """Whether a download with a lease may continue: the last use may be taken, but the share has not ended."""
        return self.state in ("active", "spent") and not self.is_over(now)


@dataclass(frozen=True, slots=True)
class Serving:
    """A file as a share serves it, by itself or as one of its items."""

    owner: UUID | None
    name: str
    size: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Made:
    """A share that was made, or that existed already for the same origin."""

    id: UUID
    code: str
    created_at: datetime
    request_digest: bytes | None = None
    """SHA-256 of the request that made it, if that had an idempotency key."""
    is_new: bool = False
    """Whether it was made now."""


@dataclass(frozen=True, slots=True)
class Release:
    """An ended share that is to be released."""

    id: UUID
    file_id: UUID | None


def is_code(text: str) -> bool:
    """Whether `text` has the form of a random code."""
    return len(text) == CODE_LENGTH and all(character in CODE_ALPHABET for character in text)


def is_any_code(text: str) -> bool:
    """Whether `text` has the form of a code, random or chosen."""
    return _CHOSEN.fullmatch(text) is not None


def canonical(kind: ShareKind, text: str) -> str:
    """The form in which a name is kept: codes have capital letters. A text that is no code does not become one."""
    # Of some other letters, such as the long s, the capital one is a letter of codes.
    return text.upper() if kind == "code" and text.isascii() else text


def check_chosen(code: str, shortest: int) -> None:
    """Raise `CodeRefused` unless a sender may choose this code, which has at least `shortest` characters."""
    if len(code) < shortest or not is_any_code(code) or canonical("code", code) in RESERVED:
        raise CodeRefused(shortest)


def is_link(text: str) -> bool:
    """Whether `text` has the form of a link's name."""
    return _LINK.fullmatch(text) is not None


def is_slug(text: str) -> bool:
    """Whether `text` has the form of a page's slug."""
    return _SLUG.fullmatch(text) is not None


def is_possible(kind: ShareKind, text: str) -> bool:
    """Whether a share of this kind can be called `text` at all."""
    return {"code": is_any_code, "link": is_link, "page": is_slug}[kind](text)


def link_extension(extension: str) -> str:
    """The extension, if a link may end in it: a dot and up to 16 letters and digits. Otherwise nothing."""
    return extension if _EXTENSION.fullmatch(extension) else ""
