"""Digests: those that this system computes for every blob, and those that a sender may claim."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from common.store.limits import MIB

SAMPLE_SIZE = 5 * MIB
SIZE_FIELD = 16

Scheme = Literal["sha-256", "sha-256-sampled"]


@dataclass(frozen=True, slots=True)
class DigestClaim:
    """A digest that the sender says its content has."""

    scheme: Scheme
    value: bytes
    """32 bytes."""

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value.hex()}"

    @classmethod
    def parse(cls, text: str) -> "DigestClaim":
        """The inverse of `str`. Raises `ValueError` on anything else."""
        scheme, _, value = text.partition(":")
        if scheme not in ("sha-256", "sha-256-sampled"):
            raise ValueError(f"unknown digest scheme {scheme!r}")
        digest = bytes.fromhex(value)
        if len(digest) != hashlib.sha256().digest_size:
            raise ValueError("a SHA-256 digest has 32 bytes")
        return cls(scheme, digest)


class ContentHasher:
    """Hashes content block by block: the SHA-256 of the whole and, if a claim needs it, that of a sample.

    Senders use the sample to identify large files without reading them completely. It consists of the first and the
    last 5 MiB and the size in ASCII digits, zero-padded to 16 bytes.
    """

    def __init__(self, *, sampled_size: int | None = None) -> None:
        """`sampled_size`: the content's size in bytes, if the sample is needed too."""
        self.size = 0
        self._whole = hashlib.sha256()
        self._sample = hashlib.sha256() if sampled_size is not None else None
        self._tail_start = max(0, (sampled_size or 0) - SAMPLE_SIZE)

    def update(self, block: bytes | bytearray | memoryview) -> None:
        self._whole.update(block)
        if self._sample is not None:
            self._update_sample(memoryview(block))
        self.size += len(block)

    def _update_sample(self, block: memoryview) -> None:
        assert self._sample is not None
        start, end = self.size, self.size + len(block)
        if start < SAMPLE_SIZE:
            self._sample.update(block[: SAMPLE_SIZE - start])
        # In content shorter than two samples, head and tail overlap, and the common bytes are hashed once. Senders use
        # samples only for longer content.
        if end > max(self._tail_start, SAMPLE_SIZE):
            self._sample.update(block[max(0, max(self._tail_start, SAMPLE_SIZE) - start) :])

    def copy(self) -> "ContentHasher":
        """Another hasher in the same state."""
        twin = ContentHasher()
        twin.size, twin._tail_start = self.size, self._tail_start
        twin._whole = self._whole.copy()
        twin._sample = self._sample.copy() if self._sample else None
        return twin

    @property
    def sha256(self) -> bytes:
        """The digest of the content so far, 32 bytes."""
        return self._whole.digest()

    def is_of(self, size: int, sha256: bytes) -> bool:
        """Whether the content so far has exactly this size and digest."""
        return self.size == size and self.sha256 == sha256

    def satisfies(self, claims: tuple[DigestClaim, ...]) -> bool:
        """Whether the content satisfies at least one of `claims`, or there are no claims."""
        return not claims or any(self._value(claim.scheme) == claim.value for claim in claims)

    def _value(self, scheme: Scheme) -> bytes | None:
        if scheme == "sha-256":
            return self.sha256
        if self._sample is None:
            return None
        sample = self._sample.copy()
        sample.update(str(self.size).encode().ljust(SIZE_FIELD, b"\0"))
        return sample.digest()


class PieceCheck:
    """Whether a piece of a whole has the digest that it must have.

    Only pieces are hashed for which that is known. The first one is not even then: at its end, the digest of the whole
    is its own.
    """

    def __init__(self, whole: ContentHasher, sha256: bytes | None) -> None:
        """`whole`: has been fed with all pieces before this one, and will be with all of this one, by somebody else."""
        self.size = 0
        self._sha256 = sha256
        self._hasher = whole
        self._own = ContentHasher() if sha256 and whole.size else None

    def update(self, block: bytes) -> None:
        if self._own:
            self._own.update(block)
        self.size += len(block)

    def is_right(self, size: int) -> bool:
        """Whether these were `size` bytes with the digest."""
        return self.size == size and self._sha256 in (None, (self._own or self._hasher).sha256)
