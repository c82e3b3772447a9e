"""New uploads as their senders announce them. `Upload-Metadata` is tus's, and clients send it with the draft too."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request

from common.errors import InvalidInput
from common.http.bodies import content_length
from common.store import DigestClaim
from upload_service.content.model import ITEM

METADATA_LIMIT = 8192
SECRET_KEYS = ("password", ITEM)
"""The keys of the metadata whose values are not answered."""
NAME_KEYS = ("filename", "name")
"""The keys of the metadata that name a file: tus-js-client's and Uppy's, then older ones'."""
UNNAMED = "unnamed"
_KEY = re.compile(r"[!-+\--~]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """A new upload as its sender announces it."""

    metadata: Mapping[str, str]
    kept: str
    """The metadata as it is answered: as it was sent, without secrets."""
    size: int | None
    """In bytes; None: it is told later."""
    named: str | None = None
    """The name that the file has unless the metadata names it."""
    claims: tuple[DigestClaim, ...] = ()
    part_size: int | None = None
    """The size of the parts that its sender puts into the store; None: the content comes in order."""
    comes_later: bool = False
    """Perhaps nothing of it comes in the request that announces it."""

    @property
    def name(self) -> str:
        return next((self.metadata[key] for key in NAME_KEYS if self.metadata.get(key)), self.named or UNNAMED)

    @property
    def ticket(self) -> str | None:
        """The ticket of an item of a share."""
        return self.metadata.get(ITEM)


def announced(
    request: Request, size: int | None, *, named: str | None = None, claims: tuple[DigestClaim, ...] = ()
) -> Announced:
    """The upload with the metadata of a request. Raises `InvalidInput`."""
    return Announced(
        metadata=_metadata(request),
        kept=_kept_metadata(request),
        size=size,
        named=named,
        claims=claims,
        # A body of unknown length may have no bytes; the first that comes extends the upload's life.
        comes_later=not content_length(request),
    )


def _metadata(request: Request) -> dict[str, str]:
    text = request.headers.get("upload-metadata", "")
    if len(text) > METADATA_LIMIT:
        raise InvalidInput(f"Upload-Metadata has at most {METADATA_LIMIT} bytes")
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in text.split(","))):
        key, _, encoded = pair.partition(" ")
        if not _KEY.fullmatch(key) or key in found:
            raise InvalidInput("each key of Upload-Metadata is printable ASCII, and given once")
        try:
            found[key] = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise InvalidInput("the values of Upload-Metadata are UTF-8 in Base64") from None
    return found


def _kept_metadata(request: Request) -> str:
    pairs = (pair.strip() for pair in request.headers.get("upload-metadata", "").split(","))
    return ",".join(pair for pair in pairs if pair.partition(" ")[0] not in ("", *SECRET_KEYS))
