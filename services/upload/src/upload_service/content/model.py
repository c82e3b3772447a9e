"""States, value types and pure rules of uploads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Any, Literal
from uuid import UUID

from common.errors import InvalidInput, TooLarge
from common.store import DigestClaim
from common.store.limits import MAX_OBJECT_SIZE, MAX_PART_SIZE, MAX_PARTS, MIN_PART_SIZE

MAX_CHUNKS = 1_000_000
NAME_BYTES = 8192


class SessionState(StrEnum):
    OPEN = "open"
    ASSEMBLING = "assembling"
    VERIFYING = "verifying"
    READY = "ready"
    CORRUPT = "corrupt"
    ABORTED = "aborted"
    EXPIRED = "expired"


UNVERIFIED = (SessionState.ASSEMBLING, SessionState.VERIFYING)


class Layout(StrEnum):
    """How a session's bytes become its object."""

    PARTS = "parts"
    STAGED = "staged"
    STREAM = "stream"
    APPENDED = "appended"


EndedFor = Literal["owner", "administrator", "copyright"]
"""Who ended a file before its time, or what for."""


class FileState(StrEnum):
    PENDING = "pending"
    READY = "ready"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class UploadSession:
    """A row of `upload_session`."""

    id: UUID
    state: SessionState
    layout: Layout
    file_name: str
    size: int | None
    chunk_size: int | None
    chunk_count: int | None
    object_key: str
    multipart_id: str | None
    claims: list[str]
    passed_sha256: bytes | None
    intent: dict[str, Any]
    owner: UUID | None
    """An account; None: nobody's."""
    mirrors: list[int] | None
    """Where the file is wanted besides; None: on the mirrors of its owner's choice."""
    file_id: UUID | None
    created_at: datetime
    expires_at: datetime

    def __post_init__(self) -> None:
        # Rows carry text.
        object.__setattr__(self, "state", SessionState(self.state))
        object.__setattr__(self, "layout", Layout(self.layout))

    @property
    def digest_claims(self) -> tuple[DigestClaim, ...]:
        return tuple(DigestClaim.parse(claim) for claim in self.claims)

    def chunk_length(self, index: int) -> int:
        """How long chunk `index` (from 0) must be. Raises `ChunkIndexInvalid`."""
        if self.size is None or self.chunk_size is None or self.chunk_count is None:
            raise ChunkIndexInvalid("this upload has no chunks")
        if not 0 <= index < self.chunk_count:
            raise ChunkIndexInvalid
        return min(self.chunk_size, self.size - index * self.chunk_size)

    def staged_key(self, index: int) -> str:
        """The object that holds chunk or piece `index` until all of them are joined."""
        return f"staged/{self.id.hex}/{index}"


@dataclass(frozen=True, slots=True)
class Part:
    """A stored chunk, or piece of what grows: a row of `part`."""

    index: int
    size: int
    sha256: bytes
    etag: str
    kept: int | None = None

    @property
    def length(self) -> int:
        """How many of its bytes count, from its first."""
        return self.size if self.kept is None else self.kept


@dataclass(frozen=True, slots=True)
class File:
    """A row of `file`."""

    id: UUID
    blob_id: UUID | None
    name: str
    size: int
    state: FileState
    owner: UUID | None
    """An account; None: nobody's."""
    created_at: datetime
    expires_at: datetime | None
    """None: never by itself."""
    password_hash: str | None
    sha256: bytes | None
    """Of its blob; None until the content is verified."""


@dataclass(frozen=True, slots=True)
class UploadKey:
    """A row of `upload_key`."""

    id: UUID
    digest: bytes
    account: UUID
    credential: UUID
    expires_at: datetime
    session_id: UUID | None

    @property
    def resume_key(self) -> bytes:
        """By which the session is found that its pieces go to, while it is open."""
        return b"upload key:" + self.id.bytes


class Keep(Enum):
    """What stays as it is."""

    KEEP = auto()


KEEP = Keep.KEEP


@dataclass(frozen=True, slots=True)
class FileChange:
    """What becomes different of a file."""

    name: str | Keep = KEEP
    expires_at: datetime | Keep | None = KEEP
    """None: never; a moment that is past: now."""
    password_hash: str | Keep | None = KEEP
    """None: no password."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A row of `blob`."""

    id: UUID
    object_key: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class ChunkPlan:
    layout: Layout
    chunk_count: int


class ChunkIndexInvalid(InvalidInput):
    """There is no chunk with this index."""

    code = "chunk_index_invalid"


def check_name(name: str) -> None:
    """Raise `InvalidInput` unless a row can hold this file name: data of any script, never part of a path."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise InvalidInput("the file name is not valid Unicode") from None
    if "\0" in name or not 0 < size <= NAME_BYTES:
        raise InvalidInput(f"a file name has 1 to {NAME_BYTES} bytes and no NUL")


def is_whole(session: UploadSession, stored: Sequence[Part]) -> bool:
    """Whether these are all the bytes that the session waits for."""
    if session.layout is Layout.APPENDED:
        return session.size is not None and sum(piece.length for piece in stored) == session.size
    return session.chunk_count is not None and len(stored) == session.chunk_count


def sole_piece(session: UploadSession, stored: Sequence[Part]) -> Part | None:
    """The piece that is by itself all that was appended, none of it rewritten and its digest as claimed, if one is."""
    for piece in stored:
        if piece.length == piece.size == session.size:
            claims = session.digest_claims
            return piece if not claims or DigestClaim("sha-256", piece.sha256) in claims else None
    return None


def plan_chunks(size: int, chunk_size: int) -> ChunkPlan:
    """How a file of `size` bytes sent in chunks of `chunk_size` is stored.

    A chunk is a part of the object where S3 allows it; chunks that are too small or too many are staged and joined.
    Raises `InvalidInput`, or `TooLarge` for what no store could hold.
    """
    if size < 0 or chunk_size < 1:
        raise InvalidInput("sizes are positive numbers of bytes")
    if size > MAX_OBJECT_SIZE or chunk_size > MAX_PART_SIZE:
        raise TooLarge("larger than an object store can hold")
    count = -(-size // chunk_size)
    if count > MAX_CHUNKS:
        raise InvalidInput(f"at most {MAX_CHUNKS} chunks")
    as_parts = count == 1 or (chunk_size >= MIN_PART_SIZE and 1 < count <= MAX_PARTS)
    return ChunkPlan(Layout.PARTS if as_parts else Layout.STAGED, count)
