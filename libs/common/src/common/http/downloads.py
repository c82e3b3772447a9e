"""Answers to downloads: a service decides about them, and the gateway takes the bytes from the store.

The answer has no body. Its `X-Store-Path` is the place in the store. The gateway judges the client's Range and
conditional headers by the `ETag`, which is the content's SHA-256, and replaces the answer with the store's bytes and
the headers decided here. With `X-Store-Range`, it serves that range and nothing else, so never the whole because of an
If-Range that does not match. If the store fails, the gateway requests the path in `X-Store-Fallback` from the upload
service, provided that a mirror has the content. An archive comes from there alone.
"""

import re
from urllib.parse import quote

from fastapi import Response

from common.downloads import StoredAt, entity_tag, repr_digest, shortened
from common.ranges import ByteRange

STORE_PATH = "X-Store-Path"
STORE_LENGTH = "X-Store-Length"
STORE_RANGE = "X-Store-Range"
STORE_FALLBACK = "X-Store-Fallback"
SANDBOX = "sandbox; default-src 'none'"
# Lets a browser show an image, play media, and lay out a page of plain text.
PREVIEW_SANDBOX = f"{SANDBOX}; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'"


# Outside ASCII, control characters, what ends a quoted string or begins an escape in it, and separators of paths.
_UNQUOTABLE = re.compile(r'[^ -~]|["\\/]|%(?=[0-9A-Fa-f]{2})')


def disposition_of(name: str, *, inline: bool = False) -> str:
    """The value of `Content-Disposition` (RFC 6266) for a file name.

    `filename*` has the name itself. `filename` has `_` for everything that it cannot hold, and is for clients that do
    not know the other one, such as `curl -OJ`.
    """
    name = shortened(name)
    plain = _UNQUOTABLE.sub("_", name)
    return f"{'inline' if inline else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def download(
    *,
    stored_at: StoredAt,
    size: int,
    sha256: bytes,
    media_type: str,
    name: str,
    inline: bool = False,
    only: ByteRange | None = None,
) -> Response:
    """An answer that makes the gateway serve an object. Its content is sandboxed, whatever its type.

    `only` is the one range that may be served; without it, the client's headers decide. `sha256`: of content that
    is made while it is sent, a digest of what it is made of.
    """
    return Response(
        headers={
            STORE_PATH: stored_at.path,
            **({STORE_FALLBACK: stored_at.fallback} if stored_at.fallback else {}),
            **({STORE_RANGE: _range_header(only)} if only else {}),
            # The gateway needs the length for its 416 answer to a range beyond the end.
            STORE_LENGTH: str(size),
            "Content-Type": media_type,
            "Content-Disposition": disposition_of(name, inline=inline),
            "ETag": entity_tag(sha256),
            **({} if stored_at.is_made else {"Repr-Digest": repr_digest(sha256)}),
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": SANDBOX,
            "Cache-Control": "private, no-store",
            "Accept-Ranges": "bytes",
        }
    )


def shown(
    *,
    stored_at: StoredAt,
    size: int,
    sha256: bytes,
    media_type: str,
    name: str,
    preview: bool,
    only: ByteRange | None = None,
) -> Response:
    """A `download` that pages of any origin may embed. A `preview` is displayed, everything else is saved."""
    answer = download(stored_at=stored_at, size=size, sha256=sha256, media_type=media_type, name=name, only=only)
    answer.headers["Content-Security-Policy"] = PREVIEW_SANDBOX
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if preview:
        del answer.headers["Content-Disposition"]
    return answer


def _range_header(only: ByteRange) -> str:
    # A range without bytes begins at the end of the content, and the store answers it with 416.
    return f"bytes={only.start}-{only.end - 1 if only.length else ''}"
