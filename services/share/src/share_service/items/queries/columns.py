"""Parts that several statements have in common."""

from typing import LiteralString

ITEM: LiteralString = "id, share_id, kind, name, size, body, sha256, state, session_id, file_id"
"""The columns of an `Item`."""
