"""States, value types and pure rules of uploads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from typing import Any, Literal
from uuid import UUID

from common.errors import InvalidInput, StorageFull, TooLarge
from common.ids import parse_id
from common.store import DigestClaim
from common.store.limits import MAX_OBJECT_SIZE, MAX_PART_SIZE, Limits

MAX_SESSION_PARTS = 1_000_000
ITEM = "item"
"""The key of a session's intent that names the item of a share."""
DIRECT = "direct"
"""The key of a session's intent that says that its sender puts the parts into the store."""
PIECE_OF = "piece_of"
"""The key of a session's intent that names the item of whose content it is a piece, begun with a ticket."""
PIECES = "pieces"
"""The key of a session's intent that names the sessions that become it, in order."""


LEASE = timedelta(seconds=15)
"""How long a part is reserved for its writer, unless the writer renews it."""


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
    """Parts of one size, in any order, each a part of the object's multipart upload."""
    STAGED = "staged"
    """Parts of one size, in any order, each an object of its own that is joined with the others in the end."""
    STREAM = "stream"
    """One part, in order."""
    APPENDED = "appended"
    """Parts of any length, in order, each an object of its own."""


EndedFor = Literal["owner", "administrator", "copyright"]
"""The person who ended a file before its time, or the reason."""


class FileState(StrEnum):
    PENDING = "pending"
    READY = "ready"
    CORRUPT = "corrupt"


Scope = Literal["account", "guests", "place"]
_EXCEEDED: dict[Scope, str] = {
    "account": "the account has no room left for this",
    "guests": "there is no room left for files of guests",
    "place": "there is no room left for more files",
}


class QuotaExceeded(StorageFull):
    """A limit of bytes or files would be exceeded."""

    code = "quota_exceeded"

    def __init__(self, scope: Scope) -> None:
        super().__init__(_EXCEEDED[scope])
        self.scope = scope


@dataclass(frozen=True, slots=True)
class Quota:
    """The most that the files of an owner, and those of the whole place, may take together; None: any number."""

    owner_bytes: int | None = None
    owner_files: int | None = None
    place_bytes: int | None = None
    place_files: int | None = None


@dataclass(frozen=True, slots=True)
class UploadSession:
    """A row of `upload_session`. Sizes in bytes."""

    id: UUID
    state: SessionState
    layout: Layout
    file_name: str
    size: int | None
    """None: not known before the end."""
    part_size: int | None
    """The length of every part but the last; None: parts have any length."""
    part_count: int | None
    object_key: str
    multipart_id: str | None
    claims: list[str]
    running_sha256: bytes | None
    """The digest of the whole content, if it was computed while the parts arrived."""
    intent: dict[str, Any]
    owner: UUID | None
    """An account; None: the upload belongs to nobody."""
    mirrors: list[int] | None
    """The mirrors that the file is wanted on; None: those of the owner's choice."""
    file_id: UUID | None
    created_at: datetime
    expires_at: datetime
    reserved: int | None = None
    """The bytes that the content may have without asking again for room; None: it is so short that nobody asks."""
    is_overdue: bool = False
    """It is open, and its time is over."""
    joined_into: UUID | None = None
    """The session that gets the parts of this one. Once it has them, this one is aborted."""

    def __post_init__(self) -> None:
        # Rows carry text.
        object.__setattr__(self, "state", SessionState(self.state))
        object.__setattr__(self, "layout", Layout(self.layout))

    @property
    def item_id(self) -> UUID | None:
        """The item of a share whose content the session brings; None: it brings none."""
        item_id = self.intent.get(ITEM)
        return UUID(item_id) if item_id else None

    @property
    def has_ticket(self) -> bool:
        """Whether it brings the content of an item, or a piece of it."""
        return self.item_id is not None or PIECE_OF in self.intent

    @property
    def piece_ids(self) -> list[UUID]:
        """The sessions that become this one, in order."""
        return [UUID(piece_id) for piece_id in self.intent.get(PIECES, [])]

    @property
    def digest_claims(self) -> tuple[DigestClaim, ...]:
        return tuple(DigestClaim.parse(claim) for claim in self.claims)

    def part_length(self, index: int) -> int:
        """The length in bytes that part `index` (from 0) must have. Raises `PartIndexInvalid`."""
        if self.size is None or self.part_size is None or self.part_count is None:
            raise PartIndexInvalid("this upload has no numbered parts")
        if not 0 <= index < self.part_count:
            raise PartIndexInvalid
        return min(self.part_size, self.size - index * self.part_size)

    def staged_key(self, index: int) -> str:
        """The key of the object that holds part `index` until all of them are joined."""
        return f"staged/{self.id.hex}/{index}"

    def key_of(self, part: "Part") -> str:
        """The key of the object that holds a part of any length."""
        return part.object_key or self.staged_key(part.index)


@dataclass(frozen=True, slots=True)
class LivingUpload:
    """A session that has not ended, as the sweep of unfinished files sees it."""

    id: UUID
    multipart_id: str | None
    is_busy: bool
    """Somebody is writing at this moment."""

    def needs(self, upload_id: str) -> bool:
        """Whether an unfinished upload in the store may still be needed."""
        return self.is_busy or upload_id == self.multipart_id


@dataclass(frozen=True, slots=True)
class Part:
    """A stored part: a row of `part`. Sizes in bytes."""

    index: int
    size: int
    sha256: bytes | None
    """None: its sender put it into the store."""
    etag: str
    kept: int | None = None
    """The number of its first bytes that count, once a later part was written over its end; None: all of them."""
    object_key: str | None = None
    """The object that holds it, if it was sent to another session."""

    @property
    def digest(self) -> bytes:
        """The SHA-256 of a part that came through this service."""
        assert self.sha256 is not None, "only direct parts have none"
        return self.sha256

    @property
    def length(self) -> int:
        """The number of its bytes that count."""
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
    """An account; None: the file belongs to nobody."""
    created_at: datetime
    expires_at: datetime | None
    """None: it does not end by itself."""
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
    is_overdue: bool
    """Its time is over: it begins no upload any more."""

    @property
    def resume_key(self) -> bytes:
        """The resume key of the session that its parts go to."""
        return b"upload key:" + self.id.bytes


class Keep(Enum):
    """Says that a value stays as it is."""

    KEEP = auto()


KEEP = Keep.KEEP


@dataclass(frozen=True, slots=True)
class FileChange:
    """The new values of a file's attributes."""

    name: str | Keep = KEEP
    expires_at: datetime | Keep | None = KEEP
    """None: never; a moment in the past: now."""
    password_hash: str | Keep | None = KEEP
    """None: no password."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A row of `blob`. `size` in bytes."""

    id: UUID
    object_key: str
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class FilePassword:
    """All that a share asks about its file before anything of it is fetched."""

    state: FileState
    password_hash: str | None
    """Of the file's own password, in PHC string format."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file and the blob with its content."""

    name: str
    state: FileState
    password_hash: str | None
    blob: Blob | None
    """None until the content is verified, and when it is corrupt."""


@dataclass(frozen=True, slots=True)
class EndedFile:
    """A file whose time is over."""

    id: UUID
    ended_for: EndedFor | None


@dataclass(frozen=True, slots=True)
class PartPlan:
    layout: Layout
    part_count: int


class PartIndexInvalid(InvalidInput):
    """There is no part with this index."""

    code = "chunk_index_invalid"


def session_of_key(object_key: str) -> UUID | None:
    """The session that an object's key was made for, if it was made for one."""
    kind, _, rest = object_key.partition("/")
    return parse_id(rest.partition("/")[0]) if kind in ("blobs", "staged") else None


def is_whole(session: UploadSession, stored: Sequence[Part]) -> bool:
    """Whether these parts are all that the session waits for."""
    if session.layout is Layout.APPENDED:
        return session.size is not None and sum(part.length for part in stored) == session.size
    return session.part_count is not None and len(stored) == session.part_count


def sole_part(session: UploadSession, stored: Sequence[Part]) -> Part | None:
    """The appended part that is the whole content by itself, if there is one.

    None of it was written over, and its digest is as claimed.
    """
    for part in stored:
        if part.sha256 and part.length == part.size == session.size:
            claims = session.digest_claims
            return part if not claims or DigestClaim("sha-256", part.sha256) in claims else None
    return None


def plan_parts(size: int, part_size: int, limits: Limits) -> PartPlan:
    """How a file of `size` bytes that comes in parts of `part_size` is stored.

    A part is a part of the object's multipart upload where the store's `limits` allow it; parts that are too small or
    too many are staged and joined. Raises `InvalidInput`, or `TooLarge` for what no store could hold.
    """
    if size < 0 or part_size < 1:
        raise InvalidInput("sizes are positive numbers of bytes")
    if size > MAX_OBJECT_SIZE or part_size > MAX_PART_SIZE:
        raise TooLarge("larger than an object store can hold")
    count = -(-size // part_size)
    if count > MAX_SESSION_PARTS:
        raise InvalidInput(f"at most {MAX_SESSION_PARTS} parts")
    as_parts = count == 1 or (part_size >= limits.min_part_size and 1 < count <= limits.max_parts)
    return PartPlan(Layout.PARTS if as_parts else Layout.STAGED, count)
