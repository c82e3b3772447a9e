"""Mirrors and replicas: states, value types and pure rules."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote, urlsplit
from uuid import UUID

from common.errors import InvalidInput
from upload_service.mirrors.drivers import Place

NAME_LENGTH = 100
LINK_LENGTH = 2000
MAX_PARALLEL = 64

# Waits double from the first; a replica that failed so often in a row is called failed, and still tried.
FIRST_WAIT = timedelta(seconds=5)
FAILED_AFTER = 8
FAILED_WAIT = timedelta(hours=6)
# What became of a replica that was removed is remembered for so long.
REMEMBERED = timedelta(days=7)
# So many failures of a mirror in a row open its breaker.
BREAKER_FAILURES = 3
FIRST_BREAK, LONGEST_BREAK = timedelta(seconds=15), timedelta(minutes=30)


class ReplicaState(StrEnum):
    QUEUED = "queued"
    COPYING = "copying"
    VERIFIED = "verified"
    FAILED = "failed"
    """Tried many times; tried again, but seldom."""
    REMOVING = "removing"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A row of `mirror`, its options still sealed."""

    id: int
    name: str
    kind: str
    options: bytes
    link_pattern: str
    accounts: list[UUID] | None
    """Who may use it; None: every account."""
    is_default: bool
    is_enabled: bool
    parallel: int
    """How many replicas may be worked on at once."""
    created_at: datetime
    changed_at: datetime
    removed_at: datetime | None
    probed_at: datetime | None
    probe_error: str | None
    failures: int
    open_until: datetime | None

    def is_open_at(self, now: datetime) -> bool:
        """Whether its breaker is open: nothing is tried."""
        return self.open_until is not None and self.open_until > now

    def link(self, path: str, url: str | None) -> str | None:
        """The public link of what is at `path`, if there is one; `url` is what the mirror itself said."""
        if self.link_pattern:
            return self.link_pattern.replace("{path}", quote(path))
        return url


@dataclass(frozen=True, slots=True)
class Replica:
    """A row of `replica` with what its blob and its mirror add to it."""

    id: UUID
    blob_id: UUID | None
    mirror_id: int
    state: ReplicaState
    url: str | None
    bytes_done: int
    attempts: int
    error: str | None
    due_at: datetime
    changed_at: datetime
    verified_at: datetime | None

    def __post_init__(self) -> None:
        # Rows carry text.
        object.__setattr__(self, "state", ReplicaState(self.state))

    @property
    def path(self) -> str:
        """Where it is on its mirror: a name of this system's own, spread over folders."""
        return path_of(self.id)

    @property
    def place(self) -> Place:
        return Place(self.path, self.url)


@dataclass(frozen=True, slots=True)
class FileReplica:
    """What became of a file on a mirror that it is wanted on. `url`: its public link, once it is verified."""

    mirror_id: int
    mirror: str
    state: ReplicaState
    bytes_done: int
    url: str | None
    error: str | None
    verified_at: datetime | None


def path_of(replica_id: UUID) -> str:
    """Where a replica is on its mirror."""
    return f"{replica_id.hex[:2]}/{replica_id.hex}"


def check_mirror_name(name: str) -> None:
    """Raise `InvalidInput` unless a mirror can be called this."""
    if not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidInput(f"a mirror's name has 1 to {NAME_LENGTH} printable characters")


def check_link_pattern(pattern: str) -> None:
    """Raise `InvalidInput` unless public links can be made of this: http or https, with `{path}` in it; or nothing."""
    if not pattern:
        return
    try:
        parts = urlsplit(pattern.replace("{path}", "path"))
    except ValueError:
        raise InvalidInput("the link pattern is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "{path}" not in pattern:
        raise InvalidInput("a link pattern is an http or https URL with {path} in it")
    if len(pattern) > LINK_LENGTH or not pattern.isprintable() or " " in pattern:
        raise InvalidInput(f"a link pattern has up to {LINK_LENGTH} characters and no spaces")


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many failures in a row (from 1): doubled each time, give or take a quarter."""
    return _jittered(FAILED_WAIT if attempts >= FAILED_AFTER else FIRST_WAIT * 2 ** (attempts - 1))


def break_after(failures: int) -> timedelta | None:
    """How long a mirror is left alone after so many failures in a row; None: not yet."""
    if failures < BREAKER_FAILURES:
        return None
    return _jittered(min(FIRST_BREAK * 2 ** min(failures - BREAKER_FAILURES, 20), LONGEST_BREAK))


def _jittered(wait: timedelta) -> timedelta:
    return wait * random.uniform(0.75, 1.25)  # noqa: S311  (spreads load, hides nothing)
