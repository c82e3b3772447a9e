"""What a share is and when it ends."""

import re
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from common.errors import DomainError, Forbidden, Gone, NotFound, Unavailable
from common.ids import CODE_ALPHABET

CODE_LENGTH = 5
CODE_ATTEMPTS = 20
# What stands in a link: 60 bits, so that tries need not be counted. No zero, which reads as an O.
LINK_LENGTH = 10
LINK_ALPHABET = string.ascii_letters + "123456789-+="
# What names a page: 62 bits, so that tries need not be counted.
SLUG_LENGTH = 12
SLUG_ALPHABET = string.ascii_lowercase + string.digits
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,16}", re.ASCII)
_LINK = re.compile(rf"[A-Za-z1-9+=-]{{{LINK_LENGTH}}}({_EXTENSION.pattern})?", re.ASCII)
_SLUG = re.compile(rf"[a-z0-9]{{{SLUG_LENGTH}}}", re.ASCII)

LEASE_LIFETIME = timedelta(hours=1)
# A share that gave back what it held is kept this long, so that its code is answered as expired, not as unknown.
KEEP_RELEASED = timedelta(hours=24)
# A page's clients ask for longer what has become of it.
KEEP_PAGES = timedelta(days=30)
# A release that failed, or whose sweep died, is tried again after this.
RELEASE_AGAIN = timedelta(minutes=1)

Kind = Literal["file", "text"]
Form = Literal["code", "link", "page"]
State = Literal["active", "spent", "ended", "released"]
EndedFor = Literal["owner", "administrator", "copyright"]
"""Who ended a share before its time, or what for."""


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
        """`ended_for` None: its time is over, its uses are taken, or nobody knows."""
        super().__init__(_ENDINGS.get(ended_for))
        self.ended_for: EndedFor | None = ended_for


class BadKey(Forbidden):
    """The download key is not valid for this share."""

    code = "bad_key"


class CodesCrowded(Unavailable):
    """So many codes are taken that no free one was found."""

    code = "codes_crowded"


WRONG_GUESSES: tuple[type[DomainError], ...] = (UnknownCode, ShareEnded, BadKey)
"""What someone hears who tries codes or keys: these count against the budgets for guesses."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share as it stands in the database. `size` in bytes; `uses_left` None: any number of uses.

    `owner` None: nobody's. `password_hash` None: it has no password of its own, though its file may have one.
    `number`: its id for those who know numbers only. `ended_for` None: it has not ended, or nobody ended it.
    """

    id: UUID
    number: int
    form: Form
    code: str
    kind: Kind
    owner: UUID | None
    password_hash: str | None
    file_id: UUID | None
    name: str
    size: int
    body: str | None
    state: State
    expires_at: datetime | None
    uses_left: int | None
    used_count: int
    created_at: datetime
    ended_for: EndedFor | None

    def is_over(self, now: datetime) -> bool:
        """Whether its time is over, be its state what it may."""
        return self.expires_at is not None and self.expires_at <= now

    def is_redeemable(self, now: datetime) -> bool:
        """Whether a use can be taken."""
        return self.state == "active" and not self.is_over(now)

    def is_resumable(self, now: datetime) -> bool:
        """Whether a download that has a lease may go on: the last use may be taken, but it has not ended."""
        return self.state in ("active", "spent") and not self.is_over(now)


@dataclass(frozen=True, slots=True)
class Terms:
    """When a share ends: at a moment, after a number of uses, whichever comes first, or never."""

    expires_at: datetime | None
    uses: int | None


@dataclass(frozen=True, slots=True)
class Naming:
    """How a share is to be named: by a code, of digits alone if so wanted, by a link that ends in `extension`, or by
    the slug of a page.
    """

    form: Form = "code"
    digits_only: bool = False
    extension: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """A share that was made, or that was there already for the same cause."""

    id: UUID
    code: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Release:
    """An ended share whose file is to be given back; `wanted` when another share still serves the same file."""

    id: UUID
    file_id: UUID | None
    wanted: bool


def is_code(text: str) -> bool:
    """Whether `text` can be a code at all."""
    return len(text) == CODE_LENGTH and all(character in CODE_ALPHABET for character in text)


def is_link(text: str) -> bool:
    """Whether `text` can stand in a link at all."""
    return _LINK.fullmatch(text) is not None


def is_slug(text: str) -> bool:
    """Whether `text` can name a page at all."""
    return _SLUG.fullmatch(text) is not None


def link_extension(extension: str) -> str:
    """What a link may end in: a dot and up to 16 letters and digits; nothing where the extension is something else."""
    return extension if _EXTENSION.fullmatch(extension) else ""
