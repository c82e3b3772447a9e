"""Parts that several statements have in common."""

from typing import LiteralString

SHARE: LiteralString = (
    "id, number, form as kind, coalesce(spelling, code) as code, kind as content_kind, owner, password_hash, file_id,"
    " name, size, body, state, expires_at, uses_left, used_count, created_at, ended_for, title, message,"
    " drop_id"
)
"""The columns of a `Share`."""

NAMED: LiteralString = (
    "form = %(kind)s and (code = %(code)s or code = upper(%(code)s) and spelling is not null and form = 'code')"
)
"""The share with this code, link or slug. Of a code that was chosen, capital letters count like small ones."""

ENDED: LiteralString = (
    "state = 'ended', body = null, ended_at = coalesce(ended_at, %(now)s), ended_for = %(ended_for)s,"
    " release_due_at = %(now)s"
)
"""The assignments that end a share: nothing is served any more, its text is erased, its file is due for release."""

# The shares that a sweep ends or deletes, by the moments `now`, `before` and `pages_before`.
EXPIRED: LiteralString = "state in ('active', 'spent') and expires_at <= %(now)s"
# As the index of these shares has it, in whose order they are taken: a condition on the state alone could be met by any
# index on states, with all shares in it. The offset has each share's leases looked up, instead of all leases read.
SPENT_ID: LiteralString = "(case state when 'spent' then id end)"
SPENT: LiteralString = f"""{SPENT_ID} >= '00000000-0000-0000-0000-000000000000' and not exists (
    select from lease where lease.share_id = share.id and lease.expires_at > %(now)s offset 0)"""
FORGOTTEN: LiteralString = """state = 'released' and (form in ('code', 'link') and released_at <= %(before)s
    or form = 'page' and released_at <= %(pages_before)s)"""
