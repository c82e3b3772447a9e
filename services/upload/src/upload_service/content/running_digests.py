"""Digests of chunked uploads, computed while the chunks pass, so that the result need not be read back.

Chunks come in parallel and out of order; a digest wants them in order. The chunk whose turn it is is hashed as it
passes. Blocks of later ones are held until it is their turn, within a budget that all sessions of this process share.

This is memory of one process and only ever saves work. A session whose window was exceeded, whose chunks went through
several replicas, or whose process died has no digest here, and its verification reads the object back instead.
"""

import time
from uuid import UUID

from common.store import ContentHasher
from common.store.limits import MIB
from upload_service.content.model import Part, UploadSession

HELD_BUDGET = 32 * MIB
# Sessions that nothing was heard of for so long, or that are too many, are forgotten.
IDLE_SECONDS = 600
MAX_SESSIONS = 1000


class PassingDigests:
    """The digests in progress of this process."""

    def __init__(self, budget: int = HELD_BUDGET) -> None:
        self._left = budget
        self._sessions: dict[UUID, _Passing] = {}

    def chunk(self, session: UploadSession, index: int) -> "PassingChunk":
        """A chunk that begins to pass. It must be finished or failed."""
        passing = self._sessions.pop(session.id, None) or _Passing(self, session)
        # Put last again, so that the first ones are those that were left alone the longest.
        self._sessions[session.id] = passing
        passing.touched = time.monotonic()
        self._forget_idle()
        return PassingChunk(passing, index)

    def take(self, session_id: UUID, stored: list[Part]) -> ContentHasher | None:
        """The digest of a session's content, if all its chunks passed here and are the very ones that are stored."""
        passing = self._sessions.pop(session_id, None)
        if passing is None:
            return None
        passing.abandon()
        return passing.hasher if passing.passed == [part.sha256 for part in stored] else None

    def hold(self, size: int) -> bool:
        """Whether `size` more bytes may be held; negative gives them back."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def _forget_idle(self) -> None:
        while self._sessions:
            session_id, passing = next(iter(self._sessions.items()))
            if len(self._sessions) <= MAX_SESSIONS and time.monotonic() - passing.touched < IDLE_SECONDS:
                return
            passing.abandon()
            del self._sessions[session_id]


class _Passing:
    """One session: the digest of its first chunks, and the chunks that wait for their turn."""

    def __init__(self, digests: PassingDigests, session: UploadSession) -> None:
        self.digests = digests
        self.touched = time.monotonic()
        self.hasher = ContentHasher(sampled_size=session.size if session.claims else None)
        self.checkpoint = self.hasher.copy()
        self.passed: list[bytes] = []
        """The SHA-256 of each chunk that `hasher` has seen whole."""
        self.waiting: dict[int, PassingChunk] = {}
        self.abandoned = False

    @property
    def turn(self) -> int:
        return len(self.passed)

    def advance(self) -> None:
        """The chunk whose turn it was has passed whole: catch up with those that waited for it."""
        self.checkpoint = self.hasher.copy()
        while chunk := self.waiting.pop(self.turn, None):
            for block in chunk.release():
                self.hasher.update(block)
            if chunk.sha256 is None:
                return
            self.passed.append(chunk.sha256)
            self.checkpoint = self.hasher.copy()

    def abandon(self) -> None:
        """Give up: hold nothing any more, hash nothing any more."""
        self.abandoned = True
        for chunk in self.waiting.values():
            chunk.release()
        self.waiting.clear()


class PassingChunk:
    """One chunk on its way."""

    def __init__(self, passing: _Passing, index: int) -> None:
        self._passing, self._index = passing, index
        self._held: list[bytes] = []
        self.sha256: bytes | None = None
        """Set when the chunk has passed whole."""

    def update(self, block: bytes) -> None:
        passing = self._passing
        if passing.abandoned:
            return
        if self._index == passing.turn:
            passing.hasher.update(block)
        elif self._index < passing.turn or not passing.digests.hold(len(block)):
            passing.abandon()
        else:
            self._held.append(block)
            passing.waiting[self._index] = self

    def finish(self, sha256: bytes) -> None:
        """The chunk is stored, and this is its digest."""
        self.sha256 = sha256
        if not self._passing.abandoned and self._index == self._passing.turn:
            self._passing.passed.append(sha256)
            self._passing.advance()

    def fail(self) -> None:
        """The chunk is not stored: as if it had never begun."""
        self._passing.waiting.pop(self._index, None)
        self.release()
        if self._index == self._passing.turn:
            self._passing.hasher = self._passing.checkpoint.copy()

    def release(self) -> list[bytes]:
        """The blocks that were held, which are held no longer."""
        held, self._held = self._held, []
        self._passing.digests.hold(-sum(len(block) for block in held))
        return held
