"""Everything that the system has acknowledged, and every violation of a promise."""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from tests.chaos.client import Client


class Violation(StrEnum):
    """The kinds of broken promises, by the words of the report."""

    LOST = "lost"
    CORRUPT = "corrupt"
    OVERSPENT = "overspent"
    DOUBLED = "doubled"
    DISORDERED = "disordered"
    STILL_SERVED = "still served"
    LEFT_OVER = "left over"
    UNEXPECTED = "unexpected"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that were sent, by what they must be when they come back."""

    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, name: str, data: bytes) -> "Content":
        return cls(name, len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that has to be there to the end."""

    kind: str
    """The way in which it was sent."""
    client: Client
    path: str
    content: Content


@dataclass(frozen=True, slots=True)
class KeptText:
    """A text that has to be there to the end."""

    client: Client
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Gone:
    """Something that was deleted, or that ends, and must not be served afterwards."""

    kind: str
    client: Client
    path: str
    after: float = 0.0
    """When it ends, in seconds since 1970."""


@dataclass(slots=True)
class Counted:
    """A share with a limited number of downloads.

    Each attempt to begin a download takes at most one use. `served` counts those that were answered with content,
    `unanswered` those that got no answer, or an error, and may have taken a use all the same.
    """

    code: str
    uses: int
    content: Content
    text: str | None = None
    served: int = 0
    unanswered: int = 0


@dataclass(slots=True)
class Talk:
    """The messages sent in one place, a room or an inbox, by one speaker. Each attempt has a text of its own."""

    kind: str
    listed: Callable[[], Awaitable[list[str]]]
    """All texts that are there, the oldest first."""
    acknowledged: list[str] = field(default_factory=list[str])
    attempts: set[str] = field(default_factory=set[str])
    """All texts that were sent, acknowledged or not."""
    heard: list[list[str]] = field(default_factory=list[list[str]])
    """The messages that each listener has received."""
    deleted: set[str] = field(default_factory=set[str])


@dataclass(frozen=True, slots=True)
class MirroredFile:
    """A file that has to have a verified copy on every mirror."""

    client: Client
    file_id: str
    content: Content


@dataclass(frozen=True, slots=True)
class WantedFetch:
    """A URL that is being fetched, and how that has to end."""

    client: Client
    fetch_id: str
    state: str
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A share or file, and the events of which a webhook has to be told, in their order."""

    subject: str
    types: tuple[str, ...]


@dataclass(slots=True)
class Ledger:
    files: list[KeptFile] = field(default_factory=list[KeptFile])
    texts: list[KeptText] = field(default_factory=list[KeptText])
    gone: list[Gone] = field(default_factory=list[Gone])
    counted: list[Counted] = field(default_factory=list[Counted])
    talks: list[Talk] = field(default_factory=list[Talk])
    mirrored: list[MirroredFile] = field(default_factory=list[MirroredFile])
    fetches: list[WantedFetch] = field(default_factory=list[WantedFetch])
    told: list[Told] = field(default_factory=list[Told])
    rooms: list[tuple[Client, int]] = field(default_factory=list[tuple[Client, int]])
    """Rooms with the clients of their owners."""
    operations: Counter[str] = field(default_factory=Counter[str])
    """Acknowledged operations by kind."""
    violations: dict[Violation, list[str]] = field(default_factory=dict[Violation, list[str]])
    uses_taken_unanswered: Counter[str] = field(default_factory=Counter[str])
    """Uses that were taken by requests that were not answered: of files, and of texts."""

    def note(self, violation: Violation, what: str) -> None:
        self.violations.setdefault(violation, []).append(what)

    def done(self, operation: str) -> None:
        self.operations[operation] += 1
