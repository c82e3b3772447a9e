"""FileCodeBox's `file_hash`: the sender's claim on its content (the wire contract's section 5)."""

import re

from common.store import DigestClaim
from common.store.digest import SAMPLE_SIZE


def claims_of(file_hash: str, size: int) -> tuple[DigestClaim, ...]:
    """The claims that a `file_hash` makes on the content. Pages send one of three values.

    The SHA-256 of the whole; above 10 MiB the page's digest of a sample; and, from a page in an insecure context, a
    32-bit hash of the name, the size and the modification time, padded to 64 digits, which claims nothing. Other
    clients send an MD5, any text, or nothing: that claims nothing either.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", file_hash) or file_hash.startswith("0" * 56):
        return ()
    value = bytes.fromhex(file_hash)
    sampled = (DigestClaim("sha-256-sampled", value),) if size > 2 * SAMPLE_SIZE else ()
    return DigestClaim("sha-256", value), *sampled


def tells_contents_apart(file_hash: str) -> bool:
    """Whether an upload may be resumed by this `file_hash`: an empty one, or a word, would mix up strangers."""
    return re.fullmatch(r"[0-9a-f]{32,128}", file_hash) is not None
