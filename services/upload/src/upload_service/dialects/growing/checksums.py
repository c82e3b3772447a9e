"""The digest that the body of one request must have, in the algorithms of tus and of RFC 9530."""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Hash(Protocol):
    def update(self, block: bytes, /) -> object: ...
    def digest(self) -> bytes: ...


class _Crc32:
    """CRC-32 in the shape of a hash of `hashlib`."""

    def __init__(self) -> None:
        self._sum = 0

    def update(self, block: bytes, /) -> None:
        self._sum = zlib.crc32(block, self._sum)

    def digest(self) -> bytes:
        return self._sum.to_bytes(4, "big")


def hash_of(name: str) -> Callable[[], Hash]:
    """A maker of hashes by `hashlib`'s name."""
    return lambda: hashlib.new(name, usedforsecurity=False)


TUS_ALGORITHMS: dict[str, Callable[[], Hash]] = {
    **{name: hash_of(name) for name in ("sha1", "sha256", "md5")},
    "crc32": _Crc32,
}
DIGEST_ALGORITHMS: dict[str, Callable[[], Hash]] = {"sha-256": hash_of("sha256"), "sha-512": hash_of("sha512")}


@dataclass(frozen=True, slots=True)
class Checksum:
    """The digest that the body of a request must have."""

    begin: Callable[[], Hash]
    """A new computation of it."""
    digest: bytes
