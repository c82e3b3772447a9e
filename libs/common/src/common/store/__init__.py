"""The object store, and the digests that prove content.

`interface` says what a store promises; `s3` and `folder` are the two that there are, and `building` chooses one. `s3`
and `writer` are the only modules of the system that know S3's requests.
"""

from common.store.body import BodyLength, SizedBody
from common.store.digest import ContentHasher, DigestClaim
from common.store.interface import (
    Digest,
    Lease,
    ObjectDamaged,
    ObjectInfo,
    ObjectMissing,
    ObjectStore,
    PartBusy,
    PartMismatch,
    Piece,
    Source,
    StoredPart,
    StoreRefused,
    StoreUnavailable,
    Unfinished,
    UploadMissing,
    WrittenObject,
)
from common.store.room import Room

__all__ = [
    "BodyLength",
    "ContentHasher",
    "Digest",
    "DigestClaim",
    "Lease",
    "ObjectDamaged",
    "ObjectInfo",
    "ObjectMissing",
    "ObjectStore",
    "PartBusy",
    "PartMismatch",
    "Piece",
    "Room",
    "SizedBody",
    "Source",
    "StoreRefused",
    "StoreUnavailable",
    "StoredPart",
    "Unfinished",
    "UploadMissing",
    "WrittenObject",
]
