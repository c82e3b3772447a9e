"""Digests of whole uploads, computed while their parts arrive, so that the object need not be read back.

Parts arrive at the same time and out of order; a digest needs them in order. The next part in order is hashed as it
arrives. Blocks of later parts are held until it is their turn, within a budget that all sessions of this process share.

A store may hash in threads: blocks of one part come one after the other, those of different parts at the same time.

This is memory of one process, and all it does is save work. A session has no digest here when its later parts exceeded
the budget, when its parts went through several processes, or when its process died; then verification reads the object.
"""

import threading
import time
from uuid import UUID

from common.store import ContentHasher
from common.store.limits import MIB
from upload_service.content.model import Part, UploadSession

HELD_BUDGET = 32 * MIB
# Sessions without any news for this long are forgotten, and the oldest when there are too many.
IDLE_SECONDS = 600
MAX_SESSIONS = 1000


class RunningDigests:
    """The digests in progress of this process."""

    def __init__(self, budget: int = HELD_BUDGET) -> None:
        self._left = budget
        self._budget_lock = threading.Lock()
        self._sessions: dict[UUID, _SessionDigest] = {}

    def part(self, session: UploadSession, index: int) -> "PartDigest":
        """The digest of a part that begins to arrive. `finish` or `fail` must be called in the end."""
        running = self._sessions.pop(session.id, None) or _SessionDigest(self, session)
        # Put last again, so that the first ones are those without news for the longest time.
        self._sessions[session.id] = running
        running.touched = time.monotonic()
        self._forget_idle()
        running.begin(index)
        return PartDigest(running, index)

    def take(self, session_id: UUID, stored: list[Part]) -> ContentHasher | None:
        """The digest of a session's content, if all its parts arrived here and are the very ones that are stored."""
        running = self._sessions.pop(session_id, None)
        if running is None:
            return None
        with running.lock:
            running.abandon()
        return running.hasher if running.hashed == [part.sha256 for part in stored] else None

    def hold(self, size: int) -> bool:
        """Whether `size` more bytes may be held; a negative size gives them back."""
        with self._budget_lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def _forget_idle(self) -> None:
        while self._sessions:
            session_id, running = next(iter(self._sessions.items()))
            if len(self._sessions) <= MAX_SESSIONS and time.monotonic() - running.touched < IDLE_SECONDS:
                return
            with running.lock:
                running.abandon()
            del self._sessions[session_id]


class _SessionDigest:
    """One session: the digest of its first parts, and the parts that wait for their turn. `lock` guards all of it."""

    def __init__(self, digests: RunningDigests, session: UploadSession) -> None:
        self.lock = threading.Lock()
        self.digests = digests
        self.touched = time.monotonic()
        self.hasher = ContentHasher(sampled_size=session.size if session.claims else None)
        self.checkpoint = self.hasher.copy()
        """The state of `hasher` before the part whose turn it is."""
        self.hashed: list[bytes] = []
        """The SHA-256 of each part that `hasher` has seen whole."""
        self.arriving: set[int] = set()
        """The indexes of the parts that are neither finished nor failed."""
        self.waiting: dict[int, PartDigest] = {}
        self.abandoned = False

    def begin(self, index: int) -> None:
        """A part begins to arrive."""
        with self.lock:
            if index in self.arriving:
                # A writer that lost its right may still be in the middle of a block: whose blocks came is not known.
                self.abandon()
            self.arriving.add(index)

    def advance(self) -> None:
        """Hash the parts that waited for the one that has just ended."""
        self.checkpoint = self.hasher.copy()
        while part := self.waiting.pop(len(self.hashed), None):
            for block in part.release():
                self.hasher.update(block)
            if part.finished_sha256 is None:
                return
            self.hashed.append(part.finished_sha256)
            self.checkpoint = self.hasher.copy()

    def abandon(self) -> None:
        """Give up: hold and hash nothing any more."""
        self.abandoned = True
        for part in self.waiting.values():
            part.release()
        self.waiting.clear()


class PartDigest:
    """The digest of one part, which also brings the session's digest forward."""

    def __init__(self, running: _SessionDigest, index: int) -> None:
        self._running, self._index = running, index
        self._hasher = ContentHasher()
        self._held: list[bytes] = []
        self._is_over = False
        self.size = 0
        """The number of bytes so far."""
        self.finished_sha256: bytes | None = None
        """The digest of the whole part; None while it arrives."""

    @property
    def sha256(self) -> bytes:
        """The digest of the part so far, 32 bytes."""
        return self._hasher.sha256

    def update(self, block: bytes) -> None:
        """Hash a block of the part."""
        whole = self._whole_if_in_turn(block)
        self._hasher.update(block)
        self.size += len(block)
        if whole:
            # Not under the lock: only the part whose turn it is gets here, and others need not wait for it.
            whole.update(block)

    def _whole_if_in_turn(self, block: bytes) -> ContentHasher | None:
        """The session's hasher if it is this part's turn. Otherwise the block is held."""
        running = self._running
        with running.lock:
            if running.abandoned or self._is_over:
                return None
            turn = len(running.hashed)
            if self._index == turn:
                return running.hasher
            if self._index < turn or not running.digests.hold(len(block)):
                running.abandon()
            else:
                self._held.append(block)
                running.waiting[self._index] = self
            return None

    def finish(self, sha256: bytes) -> None:
        """The part is stored, and this is its digest. Hashes the parts that waited for it, which may take a while."""
        with self._running.lock:
            self._running.arriving.discard(self._index)
            self.finished_sha256 = sha256
            if not self._running.abandoned and self._index == len(self._running.hashed):
                self._running.hashed.append(sha256)
                self._running.advance()

    def fail(self) -> None:
        """The part is not stored: the session's digest is as if it had never begun."""
        with self._running.lock:
            self._is_over = True
            self._running.arriving.discard(self._index)
            self._running.waiting.pop(self._index, None)
            self.release()
            if self._index == len(self._running.hashed):
                self._running.hasher = self._running.checkpoint.copy()

    def release(self) -> list[bytes]:
        """The blocks that were held, which are held no longer."""
        held, self._held = self._held, []
        self._running.digests.hold(-sum(len(block) for block in held))
        return held
