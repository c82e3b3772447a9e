"""The interface that every object store implements, with its errors and value types.

An object has a key, which this system makes, and never changes once it is there. It is written whole (`put`,
`write_stream`), in numbered parts, or joined from other objects. Whoever writes passes what belongs to the bytes on
their way: a `digest`, which is fed with every block, and a `Lease`, the right to write.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from common.errors import Conflict, DomainError, Unavailable
from common.store.digest import ContentHasher
from common.store.limits import Limits
from common.store.room import Room


class StoreUnavailable(Unavailable):
    """The object store is not answering."""

    asked: timedelta | None = None
    """The time for which the store asks to be left alone, if it names one."""


class StoreRefused(DomainError):
    """The object store refused a request."""

    code = "store_refused"


class ObjectMissing(StoreRefused):
    """The object is not in the store."""


class ObjectDamaged(StoreRefused):
    """The object in the store has not the size that it must have."""


class UploadMissing(StoreRefused):
    """The multipart upload is not in the store: it was completed or aborted, or never begun."""


class PartMismatch(StoreRefused):
    """A part in the store is not the one that was recorded."""


class PartBusy(Conflict):
    """Another request is writing this part."""

    code = "part_busy"


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A part of a multipart upload that the store has acknowledged."""

    number: int
    """The number of the part, from 1."""
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    size: int


@dataclass(frozen=True, slots=True)
class WrittenObject:
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """The beginning of an object, as a piece of another one."""

    key: str
    size: int
    """The number of its first bytes that count, at least one."""
    sha256: bytes | None
    """The digest of these bytes, where it is known."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An attempt to write an object that did not come to its end."""

    key: str
    upload_id: str


class Source(Protocol):
    """The source of a stream."""

    def certain(self) -> int:
        """A lower bound on the bytes still to come after those already yielded; 0 if unknown."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class Lease(Protocol):
    """A writer's right to write, which ends unless it is renewed. Both methods raise what ends the writing."""

    async def hold(self, *, last: bool = False) -> None:
        """Renew the right if it is time to. Called as bytes arrive and while the store works.

        `last`: everything has arrived, and what is still held back leaves for the store after this.
        """
        ...

    def check(self) -> None:
        """Raise unless the right holds at this moment. Called in any thread."""
        ...


Digest = Callable[[bytes], object]
"""Fed with every block of the content, in order, in any thread."""


class ObjectStore(Protocol):
    """Where the content of files is kept. Any method may raise `StoreUnavailable`, those that write `StorageFull`."""

    room: Room
    limits: Limits

    async def open(self) -> None:
        """Begin to use the store. It need not answer yet."""
        ...

    async def close(self) -> None: ...

    async def prepare(self) -> None:
        """Make the store ready for its first object, unless it is."""
        ...

    async def ready(self) -> None:
        """Raise `StoreUnavailable` unless the store answers."""
        ...

    def gateway_path(self, method: str, key: str) -> str:
        """The path by which the gateway asks the store for an object, by `method` (GET or HEAD)."""
        ...

    async def check(self, key: str, size: int) -> None:
        """Raise `ObjectMissing` or `ObjectDamaged` when a glance shows that the object is not there or not whole.

        A damaged object is put aside, so that nobody reads it. A store that would need a request of its own does
        nothing.
        """
        ...

    async def put(
        self,
        key: str,
        blocks: AsyncIterable[bytes],
        size: int,
        *,
        digest: Digest | None = None,
        lease: Lease | None = None,
    ) -> None:
        """Write an object of exactly `size` bytes, in place of an earlier one.

        Raises `BodyLength` if `blocks` have another length, and what `blocks` and `lease` raise; then nothing is
        stored.
        """
        ...

    async def write_stream(
        self,
        key: str,
        source: Source,
        *,
        on_multipart: Callable[[str], Awaitable[None]],
        hasher: ContentHasher | None = None,
        max_size: int | None = None,
        lease: Lease | None = None,
    ) -> WrittenObject:
        """Write all of `source` as one object, and return its size and digest, which `hasher` computes.

        `on_multipart` receives the id of a multipart upload before any part is written, so that a sweep can clean up
        after a crash. Raises `TooLarge` beyond `max_size` bytes, and what `source` and `lease` raise; then nothing is
        stored, provided that the store answers.
        """
        ...

    async def join(
        self,
        key: str,
        pieces: Sequence[Piece],
        hasher: ContentHasher,
        *,
        on_multipart: Callable[[str], Awaitable[None]],
        lease: Lease | None = None,
    ) -> None:
        """Write the pieces, in order, as one object, which `hasher` is fed with. The pieces stay.

        Raises `ObjectMissing`, `PartMismatch` when a piece has not the digest that it must have, and what `lease`
        raises; then an object that was there stays.
        """
        ...

    async def create_multipart(self, key: str) -> str:
        """Begin a multipart upload and return its id."""
        ...

    async def put_part(
        self,
        key: str,
        upload_id: str,
        number: int,
        blocks: AsyncIterable[bytes],
        size: int,
        *,
        offset: int = 0,
        digest: Digest | None = None,
        lease: Lease | None = None,
    ) -> StoredPart:
        """Write part `number` (from 1) of exactly `size` bytes, which begins at `offset` of the object.

        Waits a while for another writer that is in the middle of this part. Raises `PartBusy` when that takes too long,
        `BodyLength`, `UploadMissing`, and what `blocks` and `lease` raise. Then the part is not stored; what was stored
        of it before may be lost.
        """
        ...

    def part_path(self, key: str, upload_id: str, number: int, size: int, lifetime: timedelta) -> str | None:
        """The path by which the gateway passes part `number`, of exactly `size` bytes, on to the store.

        Whoever has it may write that part, and nothing else, until `lifetime` is over. None: this store is written to
        by this system alone.
        """
        ...

    async def stored_parts(self, key: str, upload_id: str) -> list[StoredPart]:
        """The parts that the store has of a multipart upload, in order. Raises `UploadMissing`.

        Only for stores that have a `part_path`.
        """
        ...

    async def complete_multipart(self, key: str, upload_id: str, parts: Sequence[StoredPart]) -> None:
        """Make the parts, in order, the object. Raises `UploadMissing`, `PartMismatch` or `StoreLimit`."""
        ...

    async def abort_multipart(self, key: str, upload_id: str) -> None:
        """Remove a multipart upload and its parts, if it exists."""
        ...

    async def unfinished(self, age: timedelta) -> list[Unfinished]:
        """Unfinished content that was not written to for `age` and may be removed by `abort_multipart`.

        Nothing, if the store keeps nothing of an upload whose id was not recorded.
        """
        ...

    async def stat(self, key: str) -> ObjectInfo | None:
        """The size of an object, or None if it does not exist."""
        ...

    def read(self, key: str, start: int = 0, size: int | None = None) -> AsyncIterator[bytes]:
        """Read an object from byte `start` in blocks: `size` bytes (at least one), or the rest.

        Yields nothing if the object ends before `start`. Raises `ObjectMissing`.
        """
        ...

    async def read_back(self, key: str, hasher: ContentHasher) -> None:
        """Feed `hasher` with a whole object. Raises `ObjectMissing`."""
        ...

    async def delete(self, key: str) -> None:
        """Remove an object, if it exists."""
        ...

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Remove those of the objects that exist, in as few requests as the store allows."""
        ...
