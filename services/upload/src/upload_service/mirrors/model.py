"""Mirrors and replicas: states, value types and pure rules."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote, urlsplit
from uuid import UUID

from common.backoff import backoff
from common.errors import InvalidInput
from upload_service.mirrors.drivers import Place

NAME_LENGTH = 100
LINK_LENGTH = 2000
MAX_PARALLEL = 64

FIRST_WAIT = timedelta(seconds=5)
"""The wait after the first failure of a replica; it doubles with each further one."""
FAILED_AFTER = 8
"""After this many failures in a row a replica counts as failed. It is still tried, but seldom."""
FAILED_WAIT = timedelta(hours=6)
REMEMBERED = timedelta(days=7)
"""How long a removed replica is remembered."""
BREAKER_FAILURES = 3
"""This many failures of a mirror in a row open its breaker."""
FIRST_BREAK, LONGEST_BREAK = timedelta(seconds=15), timedelta(minutes=30)


class ReplicaState(StrEnum):
    QUEUED = "queued"
    COPYING = "copying"
    VERIFIED = "verified"
    FAILED = "failed"
    """Its copy has failed many times and is now tried seldom."""
    REMOVING = "removing"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Mirror:
    """A row of `mirror`; its options are sealed."""

    id: int
    name: str
    kind: str
    options: bytes
    link_pattern: str
    accounts: list[UUID] | None
    """The accounts that may use it; None means every account."""
    is_default: bool
    is_enabled: bool
    parallel: int
    """The number of replicas that may be worked on at once."""
    created_at: datetime
    changed_at: datetime
    removed_at: datetime | None
    is_forgotten: bool
    """Whether what is there stays when it is removed."""
    probed_at: datetime | None
    probe_error: str | None
    failures: int
    open_until: datetime | None

    @property
    def was_well(self) -> bool:
        """Whether it has been probed since it was last changed, and all was well the last time."""
        return self.probe_error is None and self.probed_at is not None and self.probed_at >= self.changed_at

    def link(self, path: str, url: str | None) -> str | None:
        """The public link of the replica at `path`, if there is one. `url` is the one that the mirror gave, if any."""
        if self.link_pattern:
            return self.link_pattern.replace("{path}", quote(path))
        return url


@dataclass(frozen=True, slots=True)
class Replica:
    """A row of `replica`."""

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
        # A row holds the state as text.
        object.__setattr__(self, "state", ReplicaState(self.state))

    @property
    def path(self) -> str:
        """Its path on its mirror, as this system chose it."""
        return path_of(self.id)

    @property
    def place(self) -> Place:
        return Place(self.path, self.url)


@dataclass(frozen=True, slots=True)
class FileReplica:
    """The state of a file on a mirror where it is wanted. `url`: its public link, once it is verified."""

    mirror_id: int
    mirror: str
    state: ReplicaState
    bytes_done: int
    url: str | None
    error: str | None
    verified_at: datetime | None


def path_of(replica_id: UUID) -> str:
    """The path of a replica on its mirror. Paths are spread over 256 folders."""
    return f"{replica_id.hex[:2]}/{replica_id.hex}"


def check_mirror_name(name: str) -> None:
    """Raise `InvalidInput` unless a mirror can have this name."""
    if not name.strip() or len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidInput(f"a mirror's name has 1 to {NAME_LENGTH} printable characters")


def check_link_pattern(pattern: str) -> None:
    """Raise `InvalidInput` unless this is empty, or an http or https URL with `{path}` in it."""
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
    """The wait before the next attempt for a replica, after this many failures in a row (from 1)."""
    if attempts >= FAILED_AFTER:
        return backoff(1, FAILED_WAIT, FAILED_WAIT)
    return backoff(attempts, FIRST_WAIT, FAILED_WAIT)


def break_after(failures: int) -> timedelta | None:
    """How long a mirror is left alone after this many failures in a row; None: its breaker stays closed."""
    if failures < BREAKER_FAILURES:
        return None
    return backoff(failures - BREAKER_FAILURES + 1, FIRST_BREAK, LONGEST_BREAK)
