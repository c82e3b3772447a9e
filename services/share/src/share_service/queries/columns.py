"""What the statements have in common."""

from typing import LiteralString

SHARE: LiteralString = (
    "id, form, code, kind, owner, password_hash, file_id, name, size, body, state, expires_at, uses_left, used_count,"
    " created_at"
)
"""The columns of a `Share`."""

ENDED: LiteralString = "state = 'ended', body = null, ended_at = coalesce(ended_at, %(now)s), release_due_at = %(now)s"
"""What ending a share sets: nothing is served of it any more, its text is forgotten, its file is to be released."""
