"""The object store, the writer of streams, and the digests that prove content.

`s3` is the only module of the system that imports an S3 SDK.
"""

from common.store.body import BodyLength, SizedBody
from common.store.digest import ContentHasher, DigestClaim
from common.store.room import Room
from common.store.s3 import (
    ObjectInfo,
    ObjectMissing,
    ObjectStore,
    PartMismatch,
    StoredPart,
    StoreUnavailable,
    UploadMissing,
)
from common.store.writer import WrittenObject, write_stream

__all__ = [
    "BodyLength",
    "ContentHasher",
    "DigestClaim",
    "ObjectInfo",
    "ObjectMissing",
    "ObjectStore",
    "PartMismatch",
    "Room",
    "SizedBody",
    "StoreUnavailable",
    "StoredPart",
    "UploadMissing",
    "WrittenObject",
    "write_stream",
]
