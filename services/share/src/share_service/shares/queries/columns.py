"""What the statements have in common."""

from typing import LiteralString

SHARE: LiteralString = (
    "id, number, form, code, kind, owner, password_hash, file_id, name, size, body, state, expires_at, uses_left,"
    " used_count, created_at, ended_for"
)
"""The columns of a `Share`."""

ENDED: LiteralString = (
    "state = 'ended', body = null, ended_at = coalesce(ended_at, %(now)s), ended_for = %(ended_for)s,"
    " release_due_at = %(now)s"
)
"""What ending a share sets: nothing is served of it any more, its text is forgotten, its file is to be released."""
